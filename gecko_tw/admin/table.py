"""All rows of the admin API, and the one that tells of them all."""

from gecko_tw.admin.families import (
    buckets,
    encryption_keys,
    events,
    identities,
    integrity,
    limits,
    policies,
    presigning,
    requests,
    server,
    uploads,
)
from gecko_tw.admin.openapi import document_of
from gecko_tw.admin.rows import GET, Asked, Rows, row, rows_of
from gecko_tw.admin.schemas import ANYTHING, named
from gecko_tw.store.records import Json

FAMILIES = (
    server,
    buckets,
    identities,
    policies,
    limits,
    presigning,
    events,
    encryption_keys,
    uploads,
    integrity,
    requests,
)


@row("OpenApi", GET, "/openapi.json", needs=None, answer=named(ANYTHING))
def openapi(asked: Asked) -> Json:
    """This document."""
    return document_of(ROWS)


ROWS = Rows((*rows_of(FAMILIES), openapi))
"""Every row."""
