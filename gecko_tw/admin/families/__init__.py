"""One file a family of rows of the admin API; no family imports a family."""
