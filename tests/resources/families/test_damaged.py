"""Downloads of what is damaged: refused before the first byte where that can be known, cut where it cannot, never whole."""

from typing import Any

import pytest

from gecko_tw.store.drivers.memory_documents import MemoryDocuments
from gecko_tw.store.integrity.quarantine import Quarantine
from gecko_tw.store.rules.quarantine import QUARANTINE
from tests.resources.asking import Shop, shop

LARGE = bytes(range(256)) * 1000


def there(rate: float = 1.0, **more: Any) -> Shop:
    found = shop(**more)
    service = found.service
    service.verify_reads = rate
    service.quarantine = Quarantine(service.objects, MemoryDocuments(lambda: 0))
    found.ask("PUT", "/photos")
    return found


def flip(found: Shop, key: bytes = b"cat") -> None:
    blobs = found.service.objects.blobs._bytes
    (span,) = found.service.objects.look("photos", key).spans
    blobs[span.blob] = bytes([blobs[span.blob][0] ^ 1]) + blobs[span.blob][1:]


def held(found: Shop) -> list[bytes]:
    assert found.service.quarantine is not None
    return [one.key for one in found.service.quarantine.held()]


@pytest.mark.parametrize("headers", [{}, {"range": "bytes=1-2"}])
def test_a_small_damaged_object_is_refused_and_comes_into_quarantine(headers: dict[str, str]) -> None:
    found = there()
    found.ask("PUT", "/photos/cat", b"meow")
    flip(found)
    reply = found.ask("GET", "/photos/cat", headers=headers)
    assert reply.status == 500
    assert b"<Code>ObjectDamaged</Code>" in reply.body
    assert held(found) == [b"cat"]


def test_a_small_object_with_a_cheap_checksum_is_compared_whatever_the_rate_is() -> None:
    found = there(0.000001)
    found.ask("PUT", "/photos/cat", b"meow")
    assert found.ask("GET", "/photos/cat").body == b"meow"
    found.ask("PUT", "/photos/cat", b"purr")
    flip(found)
    assert found.ask("GET", "/photos/cat").status == 500


def test_nothing_is_compared_when_nobody_wants_it() -> None:
    found = there(0.0)
    found.ask("PUT", "/photos/cat", b"meow")
    flip(found)
    assert found.ask("GET", "/photos/cat").body == b"leow"
    assert held(found) == []


def test_a_large_damaged_object_is_cut_before_its_end() -> None:
    found = there()
    found.ask("PUT", "/photos/cat", LARGE)
    flip(found)
    reply = found.send("GET", "/photos/cat")
    assert reply.aborted
    assert reply.finished == 0
    assert len(reply.body) < len(LARGE)
    assert held(found) == [b"cat"]
    assert found.log[-1].error.startswith("ObjectDamaged: ")
    assert found.ask("GET", "/photos/cat").status == 500


def test_whole_objects_are_answered_as_ever() -> None:
    found = there()
    for body in (b"", b"meow", LARGE):
        found.ask("PUT", "/photos/cat", body)
        for _ in range(2):
            assert found.ask("GET", "/photos/cat").body == body
        assert found.ask("GET", "/photos/cat", headers={"range": "bytes=2-3"}).body == body[2:4] or not body


def test_head_and_get_tell_of_the_quarantine_and_listings_keep_it() -> None:
    found = there()
    found.ask("PUT", "/photos/cat", b"meow")
    flip(found)
    found.ask("GET", "/photos/cat")
    reply = found.ask("GET", "/photos/cat")
    assert reply.status == 500
    assert b"<Reason>its bytes are not those that were stored</Reason>" in reply.body
    assert b"<Quarantined>20" in reply.body
    seen = found.ask("HEAD", "/photos/cat")
    assert (seen.status, seen.body) == (500, b"")
    assert seen.header("x-amz-error-code") == "ObjectDamaged"
    assert "its bytes are not those" in (seen.header("x-amz-error-message") or "")
    assert b"<Key>cat</Key>" in found.ask("GET", "/photos").body
    assert found.ask("DELETE", "/photos/cat").status == 204
    assert held(found) == []


def test_what_is_in_quarantine_is_not_copied() -> None:
    found = there()
    found.ask("PUT", "/photos/cat", b"meow")
    flip(found)
    found.ask("GET", "/photos/cat")
    copied = found.ask("PUT", "/photos/dog", headers={"x-amz-copy-source": "/photos/cat"})
    assert copied.status == 500 or b"<Code>ObjectDamaged</Code>" in copied.body


def test_bytes_that_are_gone_are_told_and_come_into_quarantine() -> None:
    found = there()
    found.ask("PUT", "/photos/cat", b"meow")
    found.service.objects.blobs._bytes.clear()
    reply = found.ask("GET", "/photos/cat")
    assert reply.status == 500
    assert b"<Reason>not all of its bytes are there</Reason>" in reply.body
    assert found.service.objects.look("photos", b"cat").extra[QUARANTINE]["why"] == "lost"
