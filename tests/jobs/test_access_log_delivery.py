"""Lines of access logs on their way, by a clock that the test turns."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher

from gecko_tw.jobs import access_log_delivery
from gecko_tw.jobs.access_log_delivery import AccessLogs
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import NoSuchBucket

DAY = 86400.0


class Target:
    """Where batches are written, unless it refuses."""

    def __init__(self):
        self.objects, self.refusal = [], None

    def __call__(self, batch):
        if self.refusal is not None:
            raise self.refusal
        self.objects.append((batch.record.name, batch.target, batch.day, b"".join(batch.lines)))

    def lines(self):
        return [line for _, _, _, lines in self.objects for line in lines.split()]


class Pool:
    """A pool that works at once."""

    def run(self, function, *arguments):
        return maybeDeferred(function, *arguments)


class SlowPool:
    """A pool whose work ends when the test says so."""

    def __init__(self):
        self.working = []

    def run(self, function, *arguments):
        self.working.append(Deferred())
        return self.working[-1].addCallback(lambda _: function(*arguments))


def bucket(name="photos", target="logs", prefix=""):
    return BucketRecord(name=name, created=0, settings={"logging": {"bucket": target, "prefix": prefix}})


@pytest.fixture
def messages():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield lambda: [formatEvent(event) for event in events if event["log_namespace"].startswith("gecko_tw")]
    globalLogPublisher.removeObserver(events.append)


@pytest.fixture
def small(monkeypatch):
    for name, size in (("FULL", 40), ("PLENTY", 100), ("KEPT", 60), ("MOST", 150)):
        monkeypatch.setattr(access_log_delivery, name, size)


def started(pool=None):
    clock, target = Clock(), Target()
    logs = AccessLogs(clock, pool or Pool(), target, 300.0)
    logs.startService()
    return clock, target, logs


def test_lines_are_written_after_each_interval_one_object_for_each_bucket():
    clock, target, logs = started()
    for number in range(3):
        logs.add(bucket("photos"), 1.0, b"p%d\n" % number)
        logs.add(bucket("films", prefix="f/"), 1.0, b"f%d\n" % number)
    clock.advance(299)
    assert target.objects == []
    clock.advance(1)
    assert target.objects == [("photos", "logs", 0, b"p0\np1\np2\n"), ("films", "logs", 0, b"f0\nf1\nf2\n")]
    clock.advance(300)
    assert len(target.objects) == 2
    logs.stopService()
    assert not clock.getDelayedCalls()


def test_a_stop_writes_what_was_collected_and_waits_for_it():
    pool, ended = SlowPool(), []
    _, target, logs = started(pool)
    logs.add(bucket(), 1.0, b"a\n")
    logs.add(bucket("films"), 1.0, b"b\n")
    logs.stopService().addCallback(ended.append)
    pool.working[0].callback(None)
    assert not ended
    pool.working[1].callback(None)
    assert ended == [None]
    assert target.lines() == [b"a", b"b"]


def test_requests_of_two_days_are_never_in_one_object():
    _, target, logs = started()
    for seconds in (DAY - 1, DAY, DAY - 0.5, DAY + 1):
        logs.add(bucket(), seconds, b"%d\n" % seconds)
    logs.stopService()
    assert [(day, lines) for _, _, day, lines in target.objects] == [(0, b"86399\n86399\n"), (1, b"86400\n86401\n")]


def test_lines_go_where_the_setting_said_when_they_came():
    _, target, logs = started()
    logs.add(bucket(), 1.0, b"a\n")
    logs.add(bucket(target="other"), 1.0, b"b\n")
    logs.add(evolve(bucket(target="other"), owner="alt"), 1.0, b"c\n")
    logs.stopService()
    assert [(where, lines) for _, where, _, lines in target.objects] == [
        ("logs", b"a\n"),
        ("other", b"b\n"),
        ("other", b"c\n"),
    ]


def test_many_lines_are_written_at_once(small):
    _, target, logs = started()
    for _ in range(9):
        logs.add(bucket(), 1.0, b"0123456789\n")
    assert [len(lines) for _, _, _, lines in target.objects] == [44, 44]
    logs.stopService()
    assert len(target.lines()) == 9


def test_lines_of_many_buckets_are_written_when_they_are_many_together(small):
    _, target, logs = started()
    for number in range(10):
        logs.add(bucket(f"b{number}"), 1.0, b"0123456789\n")
    assert len(target.objects) == 10
    logs.stopService()


def test_what_cannot_be_written_is_told_once_and_tried_again(messages):
    clock, target, logs = started()
    target.refusal = NoSuchBucket()
    for number in range(3):
        logs.add(bucket(), 1.0, b"%d\n" % number)
        clock.advance(300)
    assert len(messages()) == 1
    assert "photos: its access log cannot be written to logs" in messages()[0]
    assert "The specified bucket does not exist" in messages()[0]
    target.refusal = None
    logs.add(bucket(), 1.0, b"3\n")
    clock.advance(300)
    assert target.objects == [("photos", "logs", 0, b"0\n1\n2\n3\n")]
    assert messages()[1:] == ["photos: its access log is delivered again, without 0 lines"]
    logs.stopService()


def test_one_target_that_fails_keeps_no_other_log_back():
    clock, target, logs = started()

    def write(batch):
        if batch.target == "gone":
            raise NoSuchBucket
        target(batch)

    logs._write = write
    logs.add(bucket("films", target="gone"), 1.0, b"a\n")
    logs.add(bucket("photos"), 1.0, b"b\n")
    clock.advance(300)
    assert target.lines() == [b"b"]
    logs.add(bucket("films", target="logs"), 1.0, b"c\n")
    clock.advance(300)
    assert target.lines() == [b"b", b"a", b"c"], "lines that found no place go where the bucket says now"
    logs.stopService()


@pytest.mark.parametrize("pool", [Pool(), SlowPool()], ids=["quick", "slow"])
def test_a_new_bucket_of_somebody_else_never_gets_the_log_of_the_old_one(pool):
    clock, target, logs = started(pool)
    target.refusal = NoSuchBucket()
    logs.add(bucket(), 1.0, b"old\n")
    clock.advance(300)
    logs.add(evolve(bucket(target="mine"), owner="alt"), 2.0, b"new\n")
    for working in getattr(pool, "working", ()):
        working.callback(None)
    target.refusal = None
    clock.advance(300)
    if isinstance(pool, SlowPool):
        pool.working[-1].callback(None)
    assert target.objects == [("photos", "mine", 0, b"new\n")]
    logs.stopService()
    assert logs._held == logs._fresh == 0


def test_an_unforeseen_failure_is_told_with_its_traceback(logged_failures):
    _, target, logs = started()
    target.refusal = OSError("no disk")
    logs.add(bucket(), 1.0, b"a\n")
    logs.stopService()
    assert len(logged_failures.take(OSError)) == 1


def test_the_oldest_lines_go_where_too_many_find_no_place_and_that_is_told_once(small, messages):
    clock, target, logs = started()
    target.refusal = NoSuchBucket()
    for number in range(20):
        logs.add(bucket(), 1.0, b"line %02d ..\n" % number)
        clock.advance(300)
    assert sum("are lost, the oldest first" in one for one in messages()) == 1
    target.refusal = None
    clock.advance(300)
    assert [line for line in target.lines() if line.isdigit()] == [b"15", b"16", b"17", b"18", b"19"]
    assert messages()[-1] == "photos: its access log is delivered again, without 15 lines"
    logs.stopService()


def test_what_a_stop_cannot_write_is_told(messages):
    _, target, logs = started()
    target.refusal = NoSuchBucket()
    logs.add(bucket(), 1.0, b"a\n")
    logs.stopService()
    assert messages()[-1] == "photos: 1 lines of its access log are lost"


ACTS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), st.sampled_from(["", "alt"])),
    st.just(("tick",)),
    st.tuples(st.just("end"), st.booleans()),
)


@given(st.lists(ACTS, max_size=60))
def test_no_line_is_written_twice_and_what_is_held_is_what_is_there(acts):
    pool = SlowPool()
    clock, target, logs = started(pool)
    added = 0
    with pytest.MonkeyPatch.context() as patched:
        for name, size in (("FULL", 20), ("PLENTY", 50), ("KEPT", 30), ("MOST", 80)):
            patched.setattr(access_log_delivery, name, size)
        for what, *more in acts:
            if what == "add":
                name, to, owner = more
                logs.add(evolve(bucket(name, to), owner=owner), 1.0, b"%04d\n" % added)
                added += 1
            elif what == "tick":
                clock.advance(300)
            elif waiting := [one for one in pool.working if not one.called]:
                target.refusal = None if more[0] else NoSuchBucket()
                waiting[0].callback(None)
            held = [*logs._collected.values(), *logs._leaving, *filter(None, [logs._writing])]
            assert logs._held == sum(batch.size for batch in held)
            assert logs._fresh == sum(batch.size for batch in logs._collected.values() if not batch.failed)
            assert all(batch.size == sum(map(len, batch.lines)) for batch in held)
        target.refusal = None
        ended = []
        logs.stopService().addCallback(ended.append)
        while waiting := [one for one in pool.working if not one.called]:
            waiting[0].callback(None)
    assert ended == [None]
    assert logs._held == logs._fresh == 0
    assert len(set(target.lines())) == len(target.lines()) <= added
    assert not clock.getDelayedCalls()


def test_a_disk_that_hangs_costs_lines_and_not_memory(small):
    pool = SlowPool()
    _, target, logs = started(pool)
    for _ in range(100):
        logs.add(bucket(), 1.0, b"0123456789\n")
    assert logs._held <= access_log_delivery.MOST
    logs.stopService()
    while len(target.objects) < len(pool.working):
        pool.working[len(target.objects)].callback(None)
    assert logs._held == logs._fresh == 0
