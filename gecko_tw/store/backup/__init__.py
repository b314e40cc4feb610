"""Backups: the records of one moment and their bytes in a directory or in a bucket of any S3, and back from there."""
