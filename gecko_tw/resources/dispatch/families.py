"""The families of operations that every deployment has."""

from gecko_tw.resources.dispatch.operations import OperationTable, rows_of
from gecko_tw.resources.families import (
    acl,
    attributes,
    buckets,
    copying,
    cors,
    deleting,
    encryption,
    lifecycle,
    listing,
    locking,
    logging_settings,
    multipart,
    notifications,
    objects,
    ownership,
    policies,
    post_object,
    public_access,
    renaming,
    sts,
    tagging,
    unfinished,
    unset,
    versioning,
    website,
)

FAMILIES = (
    buckets,
    objects,
    copying,
    deleting,
    multipart,
    post_object,
    unfinished,
    listing,
    cors,
    website,
    notifications,
    encryption,
    lifecycle,
    tagging,
    attributes,
    renaming,
    unset,
    versioning,
    locking,
    acl,
    policies,
    ownership,
    public_access,
    logging_settings,
    sts,
)


def built_in() -> OperationTable:
    """The table of all operations of this package."""
    return OperationTable([(family.__name__, rows_of(family)) for family in FAMILIES])
