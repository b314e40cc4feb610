"""GeckoS3 on Twisted: a self-hosted, S3-compatible object store."""

__version__ = "0.1.0"
