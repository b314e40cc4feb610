"""Whether bytes are still those that were stored: how scrubs stand, and what becomes of what is in quarantine."""

from gecko_tw.admin.rows import GET, Asked, row
from gecko_tw.admin.schemas import BOOLEAN, NAME, answer, listed, maybe, members, text, whole
from gecko_tw.callers.accounts.changes import time_text
from gecko_tw.jobs.scrubbing import DUE, WHO
from gecko_tw.resources.dispatch.operations import POST
from gecko_tw.store.integrity.comparing import StoredBytes
from gecko_tw.store.integrity.pace import Pace
from gecko_tw.store.integrity.quarantine import QuarantinedVersion
from gecko_tw.store.integrity.scrub import KIND, LAST, LEASE, TOTALS
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import Json, now_of
from gecko_tw.store.refusals import InvalidRequest
from gecko_tw.store.rules.finding import find
from gecko_tw.store.rules.quarantine import REASONS

_TEXT = {"type": "string"}
_WHEN = maybe(_TEXT)
_COUNTED = ("read", "bytes", "unknown", "damaged")
_FIGURES = answer(**dict.fromkeys(_COUNTED, whole()))
STATE = answer(
    interval_seconds={"type": "number"},
    running=BOOLEAN,
    next=_WHEN,
    last_ended=_WHEN,
    totals=_FIGURES,
    under_way=maybe(answer(began=_TEXT, **dict.fromkeys(_COUNTED, whole()))),
)
HELD = answer(bucket=_TEXT, key=_TEXT, version_id=_TEXT, size=whole(), etag=_TEXT, why=_TEXT, since=_TEXT)
_ONE = {"bucket": NAME, "key": text(1024, least=1), "version_id": text(1024, least=1)}
_WHOLE = answer(restored=BOOLEAN)


def _moment(nanoseconds: int) -> str:
    return time_text(nanoseconds / 10**9)


def _figures(found: Json) -> dict[str, int]:
    return {name: (found or {}).get(name, 0) for name in _COUNTED}


@row("ScrubState", GET, "/integrity", needs="admin:ServerInfo", answer=STATE)
def scrub_state(asked: Asked) -> Json:
    """How scrubs stand: what they have read, when the last pass ended, when the next one begins, and how far one under way is."""
    documents = asked.ground.store.documents
    found = dict(documents.all(KIND))
    lease, due = found.get(LEASE), found.get(DUE)
    ended = [value["ended"] for name, value in found.items() if name.startswith(f"{LAST}/")]
    under_way = next((value for name, value in found.items() if name.startswith(f"{WHO}/")), None)
    return {
        "interval_seconds": asked.ground.settings.scrub_interval,
        "running": lease is not None and lease["until"] > now_of(asked.ground.clock()),
        "next": None if due is None or not asked.ground.settings.scrub_interval else _moment(due["at"]),
        "last_ended": _moment(max(ended)) if ended else None,
        "totals": _figures(found.get(TOTALS)),
        "under_way": under_way and {"began": _moment(under_way["began"]), **_figures(under_way["report"])},
    }


@row("StartScrub", POST, "/integrity/scrub", needs="admin:Heal", status=202)
def start_scrub(asked: Asked) -> Json:
    """Has a scrub begin within a minute, or go on where one was cut short; its pace is that of the settings."""
    if not asked.ground.settings.scrub_interval:
        raise InvalidRequest("Scrubs are switched off: the setting scrub-interval is 0.")
    now = now_of(asked.ground.clock())
    asked.ground.store.documents.change(KIND, DUE, lambda _: {"at": now})


@row("ListQuarantine", GET, "/quarantine", needs="admin:InspectData", query=members(bucket=NAME), answer=listed(HELD))
def list_quarantine(asked: Asked) -> Json:
    """Damaged versions, which nobody is served; of all buckets, or of one."""
    return [_held(one) for one in asked.ground.store.quarantine.held(asked.query.get("bucket", ""))]


def _held(one: QuarantinedVersion) -> dict[str, Json]:
    return {
        "bucket": one.bucket,
        "key": one.key.decode("utf-8", "replace"),
        "version_id": one.version.version_id,
        "size": one.version.size,
        "etag": one.version.etag,
        "why": REASONS[one.why],
        "since": _moment(one.since),
    }


def _place(asked: Asked) -> tuple[str, bytes, str]:
    """Bucket, key and version id, which Quarantine's verbs take first."""
    return asked.given("bucket"), asked.given("key").encode(), asked.given("version_id")


@row(
    "RevalidateVersion",
    POST,
    "/quarantine/revalidate",
    needs="admin:Heal",
    body=members(_ONE, **_ONE),
    answer=_WHOLE,
)
def revalidate(asked: Asked) -> Json:
    """Reads a version in quarantine again, and lets it out if it is whole, as after its disk was mended."""
    place, now = _place(asked), now_of(asked.ground.clock())
    return {"restored": asked.ground.store.quarantine.revalidate(*place, now)}


@row(
    "RestoreVersion",
    POST,
    "/quarantine/restore",
    needs="admin:Heal",
    body=members([*_ONE, "source"], **_ONE, source=text(1024, least=1)),
    answer=_WHOLE,
)
def restore(asked: Asked) -> Json:
    """Gives a version in quarantine its bytes back from another version of the same key, `source`; they must be exactly its own."""
    quarantine, place, now = asked.ground.store.quarantine, _place(asked), now_of(asked.ground.clock())
    objects, source = quarantine.objects, asked.given("source")
    version = find(reconciled(objects.catalog.history, place[0], place[1], source), source)
    stored = StoredBytes(objects.blobs, version.spans, Pace())
    try:
        quarantine.restore(*place, stored.read, now)
    finally:
        stored.close()
    return {"restored": True}


@row(
    "PurgeVersion",
    POST,
    "/quarantine/purge",
    needs="admin:Heal",
    body=members(_ONE, **_ONE, bypass_governance=BOOLEAN),
)
def purge(asked: Asked) -> Json:
    """Removes a version in quarantine for good, unless a lock or a retention holds it."""
    bypass = bool(asked.given("bypass_governance", False))
    asked.ground.store.quarantine.purge(*_place(asked), now_of(asked.ground.clock()), bypass=bypass)
