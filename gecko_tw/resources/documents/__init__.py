"""S3's documents, read and written."""
