"""Measuring the daemon: one command, `make bench`."""
