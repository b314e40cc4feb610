"""The life of the main process, its workers, sockets and logs; what they share in memory; the data directory opened."""
