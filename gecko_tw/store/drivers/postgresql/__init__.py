"""The catalog on PostgreSQL, shared by any number of nodes; bytes in PostgreSQL, too, or in a directory that all nodes share."""
