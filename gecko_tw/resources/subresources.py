"""Every sub-resource name that S3 has: a request that carries one means something else than the plain operation."""

SUBRESOURCES = frozenset(
    """
    abac accelerate acl analytics annotation annotations append attributes cors delete encryption intelligent-tiering inventory
    legal-hold lifecycle location logging metadataAnnotationTable metadataConfiguration metadataInventoryTable
    metadataJournalTable metadataTable metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock
    renameObject replication requestPayment restore retention select session tagging torrent uploadId uploads versioning versions
    website x-amz-copy-source
    """.split()
)
"""Query names that select another operation, and ``x-amz-copy-source``, the one header that does."""
