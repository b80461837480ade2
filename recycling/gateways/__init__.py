"""The ways to the world outside the process: files, and later maps and messages."""
