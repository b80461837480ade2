"""The running day: when we come, who is late, what residents may see of it."""
