"""Reads that join several aggregates for one screen."""
