"""Loads the two plugins every test run needs, from the one place pytest lets plugins be named."""

pytest_plugins = ("tests.closing", "tests.proof.harness")
