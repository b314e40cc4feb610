"""All rows of Jay's administration."""

from gecko_tw.admin.jay import counters, presigning, quarantine, tokens
from gecko_tw.admin.rows import Rows, rows_of

ROWS = Rows(rows_of((tokens, presigning, quarantine, counters)))
"""Every row."""
