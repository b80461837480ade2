"""Booking, amending and cancelling pickups."""
