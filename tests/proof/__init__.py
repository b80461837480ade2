"""Proofs: tests that measure a figure against a target, with a control that must fail when the guard is off."""
