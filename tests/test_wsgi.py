"""The server's entry point."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT, server_environment


def test_what_was_made_at_the_start_is_left_out_of_later_collections(tmp_path: Path) -> None:
    # A full collection over the whole program takes as long as a year's figures may.
    done = subprocess.run(
        [sys.executable, "-c", "import gc, wsgi; print(gc.get_freeze_count(), len(gc.get_objects()))"], cwd=ROOT,
        env=os.environ | server_environment(f"sqlite:///{tmp_path / 'wsgi.db'}"), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    frozen, others = map(int, done.stdout.split())
    assert frozen > 100_000 > 10 * others
