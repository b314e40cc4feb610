"""The families of operations that every deployment has."""

from gecko_tw.resources import buckets, copying, cors, deleting, listing, multipart, objects, post_object, unfinished
from gecko_tw.resources.operations import OperationTable, rows_of

FAMILIES = (buckets, objects, copying, deleting, multipart, post_object, unfinished, listing, cors)


def built_in() -> OperationTable:
    """The table of all operations of this package."""
    return OperationTable([(family.__name__, rows_of(family)) for family in FAMILIES])
