"""Bytes that are encrypted before a driver sees them, and the keys for that."""
