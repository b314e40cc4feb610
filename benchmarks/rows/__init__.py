"""The rows of the table: what is asked of every server, one module for each kind of work."""
