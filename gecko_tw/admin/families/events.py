"""Events: where they go, what waits, what went wrong last, and a test event."""

from urllib.parse import urlsplit

from gecko_tw.admin.rows import GET, Asked, row
from gecko_tw.admin.schemas import BOOLEAN, answer, listed, maybe, members, text, whole
from gecko_tw.resources.dispatch.operations import POST
from gecko_tw.store.delivery_errors import delivery_errors
from gecko_tw.store.records import Json, Notice, now_of
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.store.rules.listeners import TARGET
from gecko_tw.store.rules.notices import Cause, first_event

COUNTED = 1000
"""Waiting events that are counted of a destination; more are not."""

_TEXT = {"type": "string"}
_ERROR = maybe(answer(at=_TEXT, message=_TEXT))
DESTINATION = answer(
    target=_TEXT,
    host=maybe(_TEXT),
    delivers=BOOLEAN,
    waiting=whole(),
    waiting_more=BOOLEAN,
    oldest=maybe(_TEXT),
    last_error=_ERROR,
)


@row("ListEventDestinations", GET, "/events", needs="admin:GetBucketTarget", answer=listed(DESTINATION))
def list_destinations(asked: Asked) -> Json:
    """Destinations of the settings, and all for which something waits; `last_error` is of the last try, where it failed."""
    ground = asked.ground
    hosts = _hosts(asked)
    waiting = [target for target in ground.store.notices.targets() if not target.startswith(TARGET)]
    targets = dict.fromkeys([*hosts, *waiting])
    errors = delivery_errors(ground.store.documents)
    return [_destination(asked, target, hosts.get(target), errors.get(target)) for target in targets]


def _hosts(asked: Asked) -> dict[str, str | None]:
    """The hosts of the webhooks, by their ARNs; not the URLs, which may have secrets in them."""
    pairs = [text_.split("=", 1) for text_ in asked.ground.settings.webhook if text_]
    return {f"arn:minio:sqs::{name}:webhook": urlsplit(url).netloc.rpartition("@")[2] for name, url in pairs}


def _destination(asked: Asked, target: str, host: str | None, error: Json) -> dict[str, Json]:
    waiting = asked.ground.store.notices.waiting(target, COUNTED + 1)
    first = waiting[0][1] if waiting else {}
    return {
        "target": target,
        "host": host,
        "delivers": asked.ground.live.delivers(target),
        "waiting": min(len(waiting), COUNTED),
        "waiting_more": len(waiting) > COUNTED,
        "oldest": first.get("eventTime") or first.get("Time"),
        "last_error": error,
    }


@row(
    "SendTestEvent",
    POST,
    "/events/test",
    needs="admin:SetBucketTarget",
    body=members(["target"], target=text(1024, least=1), bucket=text(63)),
    status=202,
)
def send_test(asked: Asked) -> Json:
    """Adds a test event to the queue of a destination; what becomes of it is told by ListEventDestinations."""
    ground, call, target = asked.ground, asked.call, asked.given("target")
    if not ground.live.delivers(target):
        raise InvalidArgument("body.target: nothing delivers there", Field="body.target")
    assert call is not None
    cause = Cause(
        event="TestEvent",
        now=now_of(ground.clock()),
        principal=call.caller.principal.account or "anonymous",
        address=call.address,
        request_id=call.request_id,
        host_id=call.service.host_id,
        region=call.service.region,
    )
    ground.store.notices.add([Notice(target, first_event(asked.given("bucket", ""), cause))])
