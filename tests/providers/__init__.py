"""Servers of others, on this machine: providers of texts and receivers of events, right or wrong on purpose."""
