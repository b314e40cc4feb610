"""Object Lock in headers: what they ask for a new version, and tell of one that is there."""

from collections.abc import Mapping

from gecko_tw.resources.answers.answer import Headers
from gecko_tw.resources.bodies.claims import Claims
from gecko_tw.resources.documents.locks import retention_of, until_text
from gecko_tw.store.records import BucketRecord, Json
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest
from gecko_tw.store.rules import locks

MODE, UNTIL = b"x-amz-object-lock-mode", b"x-amz-object-lock-retain-until-date"
HOLD = b"x-amz-object-lock-legal-hold"


def asked_protection(headers: Mapping[bytes, bytes], now: int) -> dict[str, Json]:
    """The entries of ``Version.extra`` that headers ask for.

    :param headers: a request's, or those that a form's fields stand for.
    :param now: nanoseconds.
    :raises InvalidArgument: half a retention, one in the past, or something unknown.
    """
    if MODE not in headers and UNTIL not in headers and HOLD not in headers:
        return {}
    found: dict[str, Json] = {}
    if MODE in headers or UNTIL in headers:
        mode, until = headers.get(MODE), headers.get(UNTIL)
        if mode is None or until is None:
            raise InvalidArgument(
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
                ArgumentName=(UNTIL if until is None else MODE).decode(),
            )
        found[locks.RETENTION] = retention_of(mode.decode("latin-1"), until.decode("latin-1"), now)
    if HOLD in headers:
        found[locks.HOLD] = _read_hold(headers[HOLD])
    return found


def check_vouched(record: BucketRecord | None, extra: Mapping[str, Json], claims: Claims, what: str = "Object") -> None:
    """What nobody may take back is not taken on trust.

    :param extra: of the version or upload that the body becomes, or becomes part of.
    :raises InvalidRequest: it will have a retention, its own or its bucket's, and neither Content-MD5 nor a checksum comes with it.
    """
    default = None if record is None else record.settings.get(locks.SETTING)
    if default is not None and (default or locks.RETENTION in extra) and not claims.vouched:
        raise InvalidRequest(
            f"Content-MD5 OR x-amz-checksum- HTTP header is required for Put {what} requests with Object Lock parameters"
        )


def _read_hold(value: bytes) -> bool:
    if value not in (b"ON", b"OFF"):
        raise InvalidArgument(
            "Legal Hold must be either of 'ON' or 'OFF'",
            ArgumentName=HOLD.decode(),
            ArgumentValue=value.decode("latin-1"),
        )
    return value == b"ON"


def protection_headers(extra: Mapping[str, Json]) -> Headers:
    """The headers that tell of a version's protection."""
    found: Headers = []
    if locks.RETENTION in extra:
        retention = extra[locks.RETENTION]
        found += [(MODE, retention["mode"].encode()), (UNTIL, until_text(retention["until"]).encode())]
    if locks.HOLD in extra:
        found.append((HOLD, on_off(extra[locks.HOLD]).encode()))
    return found


def on_off(hold: bool) -> str:
    return "ON" if hold else "OFF"
