"""What callers may do: policies and access control lists. Pure."""
