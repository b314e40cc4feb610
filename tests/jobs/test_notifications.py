"""Delivery of events: in order, again until taken, one destination not waiting for another."""

import json

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from zope.interface import implementer
from zope.interface.verify import verifyObject

from gecko_tw.jobs.interfaces import INotificationSink
from gecko_tw.jobs.notifications import GIVEN_UP, INTERVAL, UNHEARD, Delivery, body_of
from gecko_tw.jobs.webhooks import NotTaken, Webhooks
from gecko_tw.store.delivery_errors import delivery_errors
from gecko_tw.store.drivers.memory_documents import MemoryNotices
from gecko_tw.store.records import Notice
from tests.resources.asking import HeldPool, InlinePool
from tests.store.encryption.rings import DictDocuments


@implementer(INotificationSink)
class Sink:
    """Takes what is for ``a`` and ``b``, unless it is told not to."""

    name = "sink"

    def __init__(self):
        self.taken, self.refusing, self.pending = [], set(), None

    def takes(self, target):
        return target in ("a", "b")

    def deliver(self, target, body):
        if target in self.refusing:
            return fail(NotTaken("not now"))
        self.taken.append((target, json.loads(body)["Records"][0]["n"]))
        return self.pending or succeed(None)


def event(number, moment="1970-01-01T00:00:00.000Z"):
    s3 = {"bucket": {"name": "photos"}, "object": {"key": "a+cat"}}
    return {"n": number, "eventName": "ObjectCreated:Put", "eventTime": moment, "s3": s3}


def delivery():
    clock, notices, sink = Clock(), MemoryNotices(), Sink()
    made = Delivery(clock, InlinePool(), notices, [sink])
    made.startService()
    return made, clock, notices, sink


def test_sinks_keep_their_interface():
    assert verifyObject(INotificationSink, Webhooks(Clock(), {}))


def test_a_document_says_what_happened_to_what_above_its_records():
    told = json.loads(body_of(7, event(1)))
    assert (told["EventName"], told["Key"]) == ("s3:ObjectCreated:Put", "photos/a cat")
    assert told["Records"][0]["s3"]["object"]["sequencer"] == f"{7:016X}"


def test_what_a_listener_did_not_take_is_forgotten_later_and_nobody_else_waits_for_it():
    made, clock, notices, sink = delivery()
    clock.advance(1000)
    at = "1970-01-01T00:16:40.000Z"
    notices.add([Notice("listener:1", event(1, at)), Notice("a", event(2, at))])
    clock.advance(INTERVAL)
    assert sink.taken == [("a", 2)]
    assert notices.targets() == ["listener:1"]
    clock.pump([UNHEARD] * 3)
    assert notices.targets() == []
    made.stopService()


def test_events_are_delivered_in_order_and_forgotten():
    made, clock, notices, sink = delivery()
    notices.add([Notice("a", event(1)), Notice("b", event(2)), Notice("a", event(3))])
    clock.advance(INTERVAL)
    assert sorted(sink.taken) == [("a", 1), ("a", 3), ("b", 2)]
    assert notices.targets() == []
    made.stopService()


def test_what_is_not_taken_is_tried_again_later_and_holds_up_only_its_own_line():
    made, clock, notices, sink = delivery()
    sink.refusing.add("a")
    notices.add([Notice("a", event(1)), Notice("a", event(2)), Notice("b", event(3))])
    for _ in range(20):
        clock.advance(INTERVAL)
    assert sink.taken == [("b", 3)]
    sink.refusing.clear()
    for _ in range(40):
        clock.advance(INTERVAL)
    assert sink.taken == [("b", 3), ("a", 1), ("a", 2)]
    assert notices.targets() == []
    made.stopService()


def test_a_destination_that_nothing_delivers_to_keeps_its_events():
    made, clock, notices, sink = delivery()
    notices.add([Notice("gone", event(1))])
    clock.advance(INTERVAL)
    assert notices.targets() == ["gone"]
    made.stopService()


def test_what_nobody_takes_for_a_week_is_given_up():
    made, clock, notices, sink = delivery()
    sink.refusing.add("a")
    notices.add([Notice("a", event(1)), Notice("gone", event(2)), Notice("a", event(3, "1970-01-08T00:00:00.000Z"))])
    clock.advance(GIVEN_UP - 100)
    assert notices.targets() == ["a", "gone"]
    clock.advance(200)
    clock.advance(INTERVAL)
    assert [item["n"] for _, item in notices.waiting("a", 9) + notices.waiting("gone", 9)] == [3]
    made.stopService()


def test_the_end_does_not_wait_for_a_receiver_and_loses_nothing():
    made, clock, notices, sink = delivery()
    sink.pending = Deferred()
    notices.add([Notice("a", event(1))])
    clock.advance(INTERVAL)
    ended = []
    made.stopService().addCallback(ended.append)
    assert ended
    assert notices.targets() == ["a"]


def test_webhooks_know_their_destinations():
    hooks = Webhooks(Clock(), {"x": "http://h/"})
    known = [
        "arn:minio:sqs::x:webhook",
        "arn:aws:sqs:us-east-1:1:x",
        "arn:minio:sqs::y:webhook",
        "x",
        "arn:a:b:c:x:webhook",
    ]
    assert [hooks.takes(target) for target in known] == [True, False, False, False, True]


def test_a_name_and_a_password_in_a_url_become_a_header():
    sent = []

    class Client:
        def post(self, url, **given):
            sent.append((url, given["auth"]))
            return succeed(None)

    hooks = Webhooks(Clock(), {"x": "http://me:p%40ss:w@h:1/e?a=b@c", "y": "https://[::1]:2/e", "z": "http://me@h/"})
    hooks._client = Client()
    hooks._answered = lambda response: None
    for name in "xyz":
        hooks.deliver(f"arn:minio:sqs::{name}:webhook", b"")
    assert sent == [("http://h:1/e?a=b@c", ("me", "p@ss:w")), ("https://[::1]:2/e", None), ("http://h/", ("me", ""))]


def test_nothing_more_is_sent_when_it_is_stopped_while_a_thread_writes_down_what_was_taken():
    clock, notices, sink, pool = Clock(), MemoryNotices(), Sink(), HeldPool()
    made = Delivery(clock, pool, notices, [sink])
    made.startService()
    notices.add([Notice("a", event(1)), Notice("a", event(2))])
    clock.advance(INTERVAL)
    while not sink.taken:
        pool.waiting, once = [], pool.waiting
        for result, do in once:
            do().chainDeferred(result)
    ended = []
    made.stopService().addCallback(ended.append)
    assert ended == [], "what was taken is still being written down"
    pool.work()
    assert (sink.taken, len(ended)) == ([("a", 1)], 1)


def test_the_last_error_of_a_destination_is_noted_until_one_is_taken_also_by_the_next_process():
    documents, notices, sink = DictDocuments(), MemoryNotices(), Sink()
    clock = Clock()
    made = Delivery(clock, InlinePool(), notices, [sink], documents=documents)
    made.startService()
    sink.refusing.add("a")
    notices.add([Notice("a", event(1))])
    clock.advance(INTERVAL)
    assert delivery_errors(documents) == {"a": {"at": "1970-01-01T00:00:00Z", "message": "not now"}}
    made.stopService()
    after = Delivery(clock, InlinePool(), notices, [sink], documents=documents)
    after.startService()
    sink.refusing.clear()
    clock.advance(INTERVAL)
    assert (sink.taken, delivery_errors(documents)) == ([("a", 1)], {})
    after.stopService()
