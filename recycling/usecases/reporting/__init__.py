"""Recovered figures, goal progress and reports."""
