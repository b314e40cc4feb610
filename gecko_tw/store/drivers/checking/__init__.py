"""Looking for what is wrong in a data directory, without changing anything: beside nobody, or beside a running daemon."""
