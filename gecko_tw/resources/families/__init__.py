"""The operations of S3, one file a family of rows. No family imports another."""
