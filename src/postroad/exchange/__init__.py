"""Formats of others: bytes to events and tables and back, no state."""
