"""The rules of the house, kept by the build instead of by memory."""
