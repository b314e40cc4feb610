"""All rows of ByteBucket's administration; what is below ``/api/s3`` are those of S3."""

from gecko_tw.admin.bytebucket import config, users
from gecko_tw.admin.rows import Rows, rows_of

ROWS = Rows(rows_of((users, config)))
"""Every row."""
