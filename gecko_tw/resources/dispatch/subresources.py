"""Every sub-resource name that S3 has: a request that carries one means something else than the plain operation."""

HEADER_SUBRESOURCES = frozenset(("x-amz-copy-source", "x-amz-rename-source", "x-amz-request-route"))
"""The request headers that select another operation."""

_QUERY_SUBRESOURCES = frozenset(
    (
        "abac",
        "accelerate",
        "acl",
        "analytics",
        "annotation",
        "annotationName",
        "annotations",
        "append",
        "attributes",
        "cors",
        "delete",
        "encryption",
        "events",
        "intelligent-tiering",
        "inventory",
        "legal-hold",
        "lifecycle",
        "location",
        "logging",
        "max-directory-buckets",
        "metadataAnnotationTable",
        "metadataConfiguration",
        "metadataInventoryTable",
        "metadataJournalTable",
        "metadataTable",
        "metrics",
        "notification",
        "object-lock",
        "ownershipControls",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "renameObject",
        "replication",
        "requestPayment",
        "restore",
        "retention",
        "select",
        "select-type",
        "session",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versioning",
        "versions",
        "website",
    )
)

SUBRESOURCES = _QUERY_SUBRESOURCES | HEADER_SUBRESOURCES
"""Query names that select another operation, and the headers that do."""
