"""The clock: which jobs are due when, who runs them, and how each happens once."""
