"""MinIO's administration on the S3 port: another face of the verbs of the admin API, as ``mc admin`` and ``MinioAdmin`` ask for them."""
