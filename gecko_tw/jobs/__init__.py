"""What runs by itself: upkeep of the store at intervals."""
