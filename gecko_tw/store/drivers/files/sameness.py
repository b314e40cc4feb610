"""Whether what is already written beside bytes is still what must be written there."""

from gecko_tw.store.records import DeleteMarker, Part, Version


def same_description(written: Version | Part | DeleteMarker, wanted: Version | Part | DeleteMarker) -> bool:
    """Whether two records differ at most in where their bytes are."""
    if written is wanted:
        return True
    if type(written) is not type(wanted):
        return False
    return _without_spans(written) == _without_spans(wanted)


def _without_spans(record: Version | Part | DeleteMarker) -> tuple[object, ...]:
    if isinstance(record, Version):
        core = (record.version_id, record.etag, record.size, record.modified, record.headers, record.metadata)
        return (*core, record.tags, record.checksum, record.parts, record.upload, record.owner, record.extra)
    if isinstance(record, Part):
        return record.number, record.etag, record.size, record.stored, record.modified, record.checksum
    return record.version_id, record.modified, record.owner
