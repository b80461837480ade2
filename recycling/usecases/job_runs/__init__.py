"""Asking for a job run by hand."""
