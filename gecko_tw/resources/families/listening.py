"""What happens in a bucket, told as it happens to whoever holds a connection open: ``mc watch``, and ``Minio.listen_bucket_notification``.

A listener is a destination like others, in whose line events wait; here they are taken from it. So it hears of what any process does.
Source: MinIO, "ListenBucketNotification": ``GET /bucket?prefix=&suffix=&events=``.
"""

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from math import inf
from urllib.parse import parse_qsl

from attrs import evolve, frozen

from gecko_tw.callers.refusals import AccessDenied
from gecko_tw.jobs.notifications import AT_ONCE, record_of
from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.answers.streaming import Stream
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import BUCKET, GET, operation
from gecko_tw.resources.documents.notifications import EVENTS
from gecko_tw.resources.gates.permits import would_be_allowed
from gecko_tw.store.drivers.interfaces import INotices
from gecko_tw.store.records import BucketRecord, Json
from gecko_tw.store.refusals import InvalidArgument, NoSuchBucket
from gecko_tw.store.rules import listeners
from gecko_tw.store.rules.listeners import PREFIXED, TARGET

LEASE, RENEWED = 60.0, 20.0
"""Seconds for which a bucket knows of a listener, and after which it is told again."""

SILENCE = 5.0
"""Seconds without events after which a client is sent nothing new."""

NEEDS = "s3:ListenBucketNotification"

MOST = 100
"""Listeners of one bucket."""

MOST_EVENTS = 50

NEVER = (
    "s3:BucketCreated:",
    "s3:BucketRemoved:",
    "s3:ObjectAccessed:",
    "s3:ObjectRestore:",
    "s3:ObjectTransition:",
    "s3:Replication:",
    "s3:Scanner:",
)
"""What names of events begin with that MinIO has and that never happen here: ``mc watch`` asks for some of them beside others."""


@frozen
class _Listener:
    """One of them.

    :ivar id: unlike all others.
    :ivar filters: ``prefix`` and ``suffix``.
    """

    call: Call
    notices: INotices
    id: str
    events: tuple[str, ...]
    filters: Mapping[str, str]

    async def renew(self) -> None:
        """Tells the bucket.

        :raises NoSuchBucket: it is gone.
        :raises NotImplemented_: it has too many listeners.
        :raises AccessDenied: the caller may not listen any more.
        """
        service = self.call.service
        now = service.now()

        def rule(record: BucketRecord) -> BucketRecord:
            found = listeners.renewed(record, self.id, self.events, self.filters, now + int(LEASE * 1e9), now)
            if len(found.settings[listeners.SETTING]) > MOST:
                raise NotImplemented_(f"A bucket has at most {MOST} listeners.")
            return found

        record = await service.write(service.buckets.change, self.call.bucket, rule)
        if not would_be_allowed(_asking_now(self.call), record, NEEDS):
            raise AccessDenied

    async def take(self) -> list[Json]:
        """The events that have happened, which do not wait any more."""
        found = await self.call.service.scan(self.notices.waiting, TARGET + self.id, AT_ONCE)
        if found:
            await self.call.service.write(self.notices.drop, [number for number, _ in found])
        return [record_of(number, {**event, "eventName": PREFIXED + event["eventName"]}) for number, event in found]

    async def leave(self) -> None:
        """Ends it."""
        service = self.call.service

        def end() -> None:
            now = service.now()
            with suppress(NoSuchBucket):  # nobody can listen to it any more
                service.buckets.change(self.call.bucket, lambda record: listeners.without(record, self.id, now))
            while found := self.notices.waiting(TARGET + self.id, AT_ONCE):
                self.notices.drop([number for number, _ in found])

        await service.write(end)


def _asking_now(call: Call) -> Call:
    """A call by whom its key stands for now. Raises AccessDenied when that is nobody any more."""
    service, found = call.service, call.caller.identity
    if found is None:
        return call
    known, key, token = service.identities, found.access_key, found.token
    now = known.find(key) if token is None else known.session(key, token)
    if now is None or now.secret != found.secret or (now.expires or inf) <= service.clock.seconds():
        raise AccessDenied
    return evolve(call, caller=evolve(call.caller, identity=now))


@operation("ListenBucketNotification", GET, BUCKET, "events", needs=NEEDS)
async def listen(call: Call) -> Stream:
    """Events as they happen, a line of JSON each, until the client leaves.

    :raises InvalidArgument: an event is none that there is.
    """
    events, pings = _asked(call)
    if call.service.notices is None:
        raise NotImplemented_("This deployment keeps no events.")
    filters = {name: call.query[name] for name in ("prefix", "suffix") if call.query.get(name)}
    listener = _Listener(call, call.service.notices, secrets.token_hex(8), events, filters)
    await listener.renew()
    due = call.service.clock.seconds() + RENEWED

    async def look() -> list[Json]:
        nonlocal due
        if call.service.clock.seconds() >= due:
            await listener.renew()
            due = call.service.clock.seconds() + RENEWED
        return await listener.take()

    idle = b'{"Records":[]}\n' if pings else b" "
    return Stream(
        look, media=b"text/event-stream", write=_line, silence=SILENCE, begins=b" ", idle=idle, ended=listener.leave
    )


def _line(record: Json) -> bytes:
    return json.dumps({"Records": [record]}).encode() + b"\n"


def _asked(call: Call) -> tuple[tuple[str, ...], bool]:
    """The events, of which one parameter each tells, and whether empty lists of records are welcome."""
    pairs = parse_qsl(call.head.query.decode("latin-1"), keep_blank_values=True)
    events = tuple(dict.fromkeys(value for name, value in pairs if name == "events" and value))
    for event in events:
        if event not in EVENTS and not event.startswith(NEVER):
            raise InvalidArgument("A specified event is not supported for notifications.", ArgumentValue=event)
    happening = tuple(event for event in events if event in EVENTS)
    if not happening or len(events) > MOST_EVENTS:
        raise InvalidArgument("Needed are events to listen to that happen here.", ArgumentName="events")
    return happening, bool(call.query.get("ping"))
