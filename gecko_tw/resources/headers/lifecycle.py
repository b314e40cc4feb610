"""Headers that tell when an object or an upload will go by a lifecycle rule."""

from urllib.parse import quote

from gecko_tw.resources.answers.answer import Headers
from gecko_tw.resources.headers.objects import http_date
from gecko_tw.store.records import BucketRecord, Version
from gecko_tw.store.rules import lifecycle
from gecko_tw.store.rules.lifecycle import SETTING, Calendar

_LAST_DATE = 253_402_214_400
"""The last midnight that a date can name, in seconds since 1970."""


def expiration_headers(record: BucketRecord | None, key: bytes, version: Version) -> Headers:
    """``x-amz-expiration`` of a current version; nothing for a bucket without rules or an object that they keep.

    Days are those of a calendar, however short ``--lifecycle-day`` makes them.
    """
    if record is None or SETTING not in record.settings:
        return []
    found = lifecycle.expiry(lifecycle.rules_of(record.settings[SETTING]), key, version, Calendar(0))
    return [] if found is None else [(b"x-amz-expiration", b'expiry-date="%b", rule-id="%b"' % _told(found))]


def abort_headers(record: BucketRecord | None, key: bytes, initiated: int) -> Headers:
    """``x-amz-abort-date`` and ``x-amz-abort-rule-id`` of a multipart upload that a rule will abort."""
    if record is None or SETTING not in record.settings:
        return []
    found = lifecycle.aborting(lifecycle.rules_of(record.settings[SETTING]), key, initiated, Calendar(0))
    if found is None:
        return []
    return list(zip((b"x-amz-abort-date", b"x-amz-abort-rule-id"), _told(found), strict=True))


def _told(found: tuple[int, str]) -> tuple[bytes, bytes]:
    return http_date(min(found[0] // 1_000_000_000, _LAST_DATE)), quote(found[1], safe="").encode()
