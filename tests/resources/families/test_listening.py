"""Whoever holds a connection open is told what happens in a bucket, and nothing is kept for those who left."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.families.listening import LEASE, MOST
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.rules import listeners
from tests.resources.asking import FakeRequest, Shop, shop

ALL = "events=s3:ObjectCreated:*&events=s3:ObjectRemoved:*"


@pytest.fixture
def here() -> Shop:
    made = shop()
    made.ask("PUT", "/photos")
    return made


def listen(here: Shop, query: str = ALL) -> FakeRequest:
    request = here.send("GET", f"/photos?{query}")
    assert request.status == 200
    return request


def told(here: Shop, request: FakeRequest) -> list[tuple[str, str]]:
    here.clock.pump([0.5, 0.5])
    records = [one for line in request.body.splitlines() if line.strip() for one in json.loads(line)["Records"]]
    return [(one["eventName"], one["s3"]["object"]["key"]) for one in records]


def test_what_happens_is_told_in_order_with_its_size(here: Shop) -> None:
    here.ask("PUT", "/photos/before", b"x")
    request = listen(here)
    here.ask("PUT", "/photos/a%20cat", b"meow")
    here.ask("DELETE", "/photos/a%20cat")
    assert told(here, request) == [("s3:ObjectCreated:Put", "a+cat"), ("s3:ObjectRemoved:Delete", "a+cat")]
    first = json.loads(request.body.splitlines()[0])["Records"][0]
    assert (first["s3"]["object"]["size"], first["s3"]["bucket"]["name"]) == (4, "photos")
    request.leave()


def test_each_hears_of_what_was_asked_for_and_of_nothing_else(here: Shop) -> None:
    dogs = listen(here, "events=s3:ObjectCreated:Put&prefix=dogs/&suffix=.jpg&ping=10")
    gone = listen(here, "events=s3:ObjectRemoved:*&events=s3:ObjectAccessed:*")
    for key in ("dogs/a.jpg", "dogs/a.png", "cats/a.jpg"):
        here.ask("PUT", f"/photos/{key}", b"x")
    here.ask("DELETE", "/photos/dogs/a.jpg")
    assert told(here, dogs) == [("s3:ObjectCreated:Put", "dogs/a.jpg")]
    assert told(here, gone) == [("s3:ObjectRemoved:Delete", "dogs/a.jpg")]
    dogs.leave()
    gone.leave()


def test_nothing_is_kept_for_who_has_left(here: Shop) -> None:
    request = listen(here)
    here.ask("PUT", "/photos/a", b"x")
    request.leave()
    here.ask("PUT", "/photos/b", b"x")
    assert here.service.notices is not None
    assert here.service.notices.targets() == []
    assert listeners.SETTING not in here.service.buckets.get("photos").settings


def test_who_goes_on_listening_goes_on_being_told(here: Shop) -> None:
    request = listen(here)
    here.clock.pump([0.5] * int(3 * LEASE / 0.5))
    here.ask("PUT", "/photos/late", b"x")
    assert told(here, request) == [("s3:ObjectCreated:Put", "late")]
    request.leave()


def test_a_listener_whose_process_is_gone_is_told_nothing_more(here: Shop) -> None:
    def rule(record: BucketRecord) -> BucketRecord:
        now = here.service.now()
        return listeners.renewed(record, "gone", ["s3:ObjectCreated:*"], {}, now + 1_000_000_000, now)

    here.service.buckets.change("photos", rule)
    assert here.service.notices is not None
    here.ask("PUT", "/photos/a", b"x")
    assert here.service.notices.targets() == ["listener:gone"]
    here.clock.advance(2)
    here.ask("PUT", "/photos/b", b"x")
    assert len(here.service.notices.waiting("listener:gone", 10)) == 1


def test_a_removed_bucket_ends_its_streams(here: Shop) -> None:
    request = listen(here)
    here.ask("DELETE", "/photos")
    here.clock.pump([0.5] * int(LEASE / 0.5))
    assert request.finished or request.aborted


def test_a_bucket_has_so_many_listeners_and_no_more(here: Shop) -> None:
    there = [listen(here) for _ in range(MOST)]
    assert here.ask("GET", f"/photos?{ALL}").status == 501
    there.pop().leave()
    there.append(listen(here))
    for one in there:
        one.leave()


@pytest.mark.parametrize(
    "query", ["events", "events=", "events=s3:Nothing", "events=s3:ObjectAccessed:*", "events=ObjectCreated:Put"]
)
def test_events_that_never_come_are_refused(here: Shop, query: str) -> None:
    reply = here.ask("GET", f"/photos?{query}")
    assert (reply.status, b"InvalidArgument" in reply.body) == (400, True)


def test_all_buckets_at_once_are_refused_and_never_listed(here: Shop) -> None:
    assert here.ask("GET", f"/?{ALL}").status == 501


@given(moments=st.lists(st.integers(0, 20), max_size=5), now=st.integers(0, 20))
def test_only_those_whose_moment_is_to_come_are_told(moments: list[int], now: int) -> None:
    record = BucketRecord(name="b", created=1, owner="")
    for number, until in enumerate(moments):
        record = listeners.renewed(record, str(number), ["s3:ObjectCreated:*"], {}, until, 0)
    found = set(listeners.listening(record, "ObjectCreated:Put", b"k", now))
    assert found == {f"listener:{number}" for number, until in enumerate(moments) if until > max(now, 0) and until > 0}
