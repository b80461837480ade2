"""What the benchmarks share: a server to measure, a bare minimum beside it, a load to put on both."""
