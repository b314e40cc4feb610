"""The native binary protocol, both sides of it."""
