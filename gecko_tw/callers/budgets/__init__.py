"""How many requests somebody may make, counted by all processes together."""
