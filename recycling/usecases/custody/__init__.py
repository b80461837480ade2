"""Stock of the stations, counts of it, and hand-overs to processors."""
