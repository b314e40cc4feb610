"""One file a family of MinIO's rows; no family imports a family."""
