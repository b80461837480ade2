"""What collectors record on their day, and what it comes to."""
