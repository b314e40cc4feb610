"""Jay's requests about the quarantine, over ours."""

from typing import Any

import pytest
from attrs import evolve

from gecko_tw.store.requests import Put
from gecko_tw.store.rules.quarantine import QUARANTINE
from tests.admin.desk import Desk
from tests.admin.jay.test_face import ask, error, there, values
from tests.resources.asking import NOW

LATER = int(NOW) * 10**9
CAT = {"bucket_id": "photos", "key": "cat"}


def damaged(place: Desk, key: bytes, body: bytes = b"meow") -> Any:
    """A version whose bytes rotted, in quarantine; the name of its blob comes with it."""
    objects = place.ground.store.objects
    incoming = objects.receive(())
    incoming.push(body)
    objects.put("photos", key, incoming, Put(now=1))
    version = objects.look("photos", key)
    rot(place, version.spans[0].blob)
    assert place.ground.store.quarantine.condemn("photos", key, version, LATER, "test")
    return objects.look("photos", key)


def rot(place: Desk, blob: str) -> None:
    """Flips a bit, or flips it back."""
    kept = place.ground.store.objects.blobs._bytes  # type: ignore[attr-defined]
    kept[blob] = bytes([kept[blob][0] ^ 1]) + kept[blob][1:]


def test_the_list_has_what_jays_has():
    place = there()
    assert values(ask(place, "GET", "/quarantine")) is None
    version = damaged(place, b"cat")
    (listed,) = values(ask(place, "GET", "/quarantine"))
    assert listed == {
        "bucket_id": "photos",
        "bucket_name": "photos",
        "key": "cat",
        "object_id": version.version_id,
        "size_bytes": 4,
        "expected_checksum": listed["expected_checksum"],
        "location_ref": version.spans[0].blob,
    }
    assert listed["expected_checksum"]
    assert values(ask(place, "GET", "/metrics"))["objects_quarantined"] == 1


def test_what_is_whole_again_is_restored_and_what_is_not_stays():
    place = there()
    version = damaged(place, b"cat")
    assert values(ask(place, "POST", "/quarantine/revalidate", CAT)) == {"restored": False}
    rot(place, version.spans[0].blob)
    assert values(ask(place, "POST", "/quarantine/revalidate", CAT)) == {"restored": True}
    assert QUARANTINE not in place.ground.store.objects.look("photos", b"cat").extra
    assert error(ask(place, "POST", "/quarantine/revalidate", CAT)) == "this object is not in quarantine"


def test_one_is_purged_by_its_name_and_all_by_the_mode():
    place = there()
    for key in (b"cat", b"dog", b"cow"):
        damaged(place, key)
    reply = ask(place, "DELETE", "/quarantine", CAT)
    assert (reply.status, reply.body) == (204, b"")
    assert values(ask(place, "DELETE", "/quarantine", {"mode": "all"})) == {"purged": 2}
    assert values(ask(place, "GET", "/quarantine")) is None
    assert list(place.ground.store.quarantine.held()) == []


@pytest.mark.parametrize(
    "body",
    [None, {}, {"mode": ""}, {"bucket_id": "photos"}, {"key": "cat"}, {"bucket_id": "photos", "mode": "all"}],
)
def test_what_says_neither_removes_nothing(body):
    place = there()
    damaged(place, b"cat")
    told = error(ask(place, "DELETE", "/quarantine", body))
    assert told == "specify bucket_id+key for single purge, or mode=all for purge all"
    assert len(values(ask(place, "GET", "/quarantine"))) == 1


def test_what_a_lock_holds_is_not_purged():
    place = there()
    damaged(place, b"cat")
    hold = lambda version, _: evolve(version, extra={**version.extra, "legal-hold": True})  # noqa: E731
    place.ground.store.objects.amend("photos", b"cat", None, hold)
    assert ask(place, "DELETE", "/quarantine", CAT).status == 403
    assert values(ask(place, "DELETE", "/quarantine", {"mode": "all"})) == {"purged": 0}
    assert len(values(ask(place, "GET", "/quarantine"))) == 1
