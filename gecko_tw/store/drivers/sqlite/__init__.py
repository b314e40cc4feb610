"""A catalog in one SQLite file that several processes may share."""
