"""All rows of MinIO's face."""

from gecko_tw.admin.minio.families import (
    access_keys,
    buckets,
    encryption_keys,
    groups,
    policies,
    requests,
    server,
    users,
)
from gecko_tw.admin.minio.rows import MinioRows, rows_of

FAMILIES = (server, users, groups, policies, access_keys, buckets, requests, encryption_keys)

MINIO_ROWS = MinioRows(rows_of(FAMILIES))
"""Every row."""
