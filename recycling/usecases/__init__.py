"""Use cases: one verb per file, one transaction per call. Nothing here knows HTTP or Flask."""
