"""The documents and dates of Object Lock, read and written. Pure. Source: S3 API Reference, data types ObjectLockConfiguration,
ObjectLockRetention and ObjectLockLegalHold."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from gecko_tw.resources.answers.refusals import InvalidRetentionPeriod, MalformedXML
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import element, text, texts
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.store.rules.locks import COMPLIANCE, GOVERNANCE

_MODES = (GOVERNANCE, COMPLIANCE)
_LONGEST = {"Days": 36_500, "Years": 100}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = 1_000_000
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
"""The last moment that can be told, in milliseconds since 1970."""


def read_configuration(document: bytes) -> dict[str, Json]:
    """The setting that an ObjectLockConfiguration asks for: a mode and days or years, or nothing.

    :raises MalformedXML, InvalidRetentionPeriod: as S3 does.
    """
    root = markup.read(document, "ObjectLockConfiguration").only(("ObjectLockEnabled", "Rule"))
    rules = root.all("Rule")
    if root.need("ObjectLockEnabled") != "Enabled" or len(rules) > 1:
        raise MalformedXML
    if not rules:
        return {}
    defaults = list(rules[0].only(("DefaultRetention",)))
    if len(defaults) != 1:
        raise MalformedXML
    default = defaults[0].only(("Mode", "Days", "Years"))
    mode, days, years = default.need("Mode"), default.get("Days"), default.get("Years")
    if mode not in _MODES or (days is None) == (years is None):
        raise MalformedXML
    if days is not None:
        return {"mode": mode, "days": _period("Days", days)}
    return {"mode": mode, "years": _period("Years", years or "")}


def _period(unit: str, value: str) -> int:
    """Raises MalformedXML for what is no number, InvalidRetentionPeriod for one that is no period."""
    digits = value.strip()
    if not (digits.isascii() and digits.removeprefix("-").isdecimal() and len(digits) <= 10):
        raise MalformedXML
    number = int(digits)
    if number < 1:
        raise InvalidRetentionPeriod
    if number > _LONGEST[unit]:
        raise InvalidRetentionPeriod(f"Default retention period in {unit.lower()} cannot exceed {_LONGEST[unit]}")
    return number


def write_configuration(setting: Mapping[str, Json]) -> str:
    """What is inside an ObjectLockConfiguration."""
    enabled = text("ObjectLockEnabled", "Enabled")
    if not setting:
        return enabled
    default = texts({"Mode": setting["mode"], "Days": setting.get("days"), "Years": setting.get("years")})
    return enabled + element("Rule", element("DefaultRetention", default))


def read_retention(document: bytes, now: int) -> dict[str, Json] | None:
    """The retention that a document asks for, or None when an empty one removes it.

    :param now: nanoseconds.
    :raises MalformedXML, InvalidArgument: as S3 does.
    """
    root = markup.read(document, "Retention").only(("Mode", "RetainUntilDate"))
    mode, until = root.get("Mode"), root.get("RetainUntilDate")
    if mode is None and until is None:
        return None
    if mode not in _MODES or until is None:
        raise MalformedXML
    moment = _moment(until)
    if moment is None:
        raise MalformedXML
    return {"mode": mode, "until": _future(moment, until, now)}


def retention_of(mode: str, until: str, now: int) -> dict[str, Json]:
    """The retention that a mode and a date in headers ask for. Raises InvalidArgument."""
    if mode not in _MODES:
        raise InvalidArgument("Unknown wormMode directive.", ArgumentName="x-amz-object-lock-mode", ArgumentValue=mode)
    moment = _moment(until)
    if moment is None:
        raise InvalidArgument(
            "The retain until date must be provided in ISO 8601 format",
            ArgumentName="x-amz-object-lock-retain-until-date",
            ArgumentValue=until,
        )
    return {"mode": mode, "until": _future(moment, until, now)}


def _moment(value: str) -> int | None:
    """Nanoseconds of an ISO 8601 time, in whole milliseconds and never less, since no more of it is told; None when it is none.

    What would be rounded up into the year 10000 is none either: nobody could be told of it.
    """
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    milliseconds = -((_EPOCH - aware) // timedelta(milliseconds=1))
    return milliseconds * _MILLISECOND if milliseconds <= _LATEST else None


def _future(moment: int, given: str, now: int) -> int:
    if moment <= now:
        raise InvalidArgument(
            "The retain until date must be in the future!", ArgumentName="RetainUntilDate", ArgumentValue=given
        )
    return moment


def until_text(until: int) -> str:
    """A date as S3 writes it, with milliseconds."""
    moment = _EPOCH + timedelta(milliseconds=min(-(-until // _MILLISECOND), _LATEST))
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def read_hold(document: bytes) -> bool:
    """Whether a LegalHold document says ON. Raises MalformedXML."""
    status = markup.read(document, "LegalHold").only(("Status",)).need("Status")
    if status not in ("ON", "OFF"):
        raise MalformedXML
    return status == "ON"
