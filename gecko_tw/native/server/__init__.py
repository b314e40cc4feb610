"""The binary protocol as a second wire: frames become requests to the same operations, and what those tell becomes frames again."""
