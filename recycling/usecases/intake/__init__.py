"""Weighing in at the stations."""
