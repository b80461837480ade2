"""What collectors record at the doorstep."""
