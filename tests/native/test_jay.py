"""A conversation of Jay's own Go client with Jay's own server (0.6.2), recorded on the way, held with ours.

``jay_conversation.json`` has what each side sent, in turns; a second connection gave a wrong secret. Our answers are Jay's, but for what
differs from one time to the next: ids and times; and for two values that are empty here: types in listings, and the SHA-256 of an
object that was made of parts.
"""

import json
import re
from pathlib import Path

import pytest

from gecko_tw.callers.accounts.identities import OnePair
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.native import frames
from gecko_tw.native.client import values
from gecko_tw.native.frames import Fields
from tests.native.peers import Peer
from tests.resources.asking import Shop, shop

TURNS = json.loads(Path(__file__).with_name("jay_conversation.json").read_text())
TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def said(connection: int, side: str) -> bytes:
    return b"".join(
        bytes.fromhex(turn["bytes"]) for turn in TURNS if (turn["connection"], turn["from"]) == (connection, side)
    )


def frames_of(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """First byte, metadata and data of each frame."""
    found = []
    while data:
        first, _stream, meta, length = frames.HEADER.unpack_from(data)
        end = frames.HEADER.size + meta
        found.append((first, data[frames.HEADER.size : end], data[end : end + length]))
        data = data[end + length :]
    return found


@pytest.fixture
def town() -> Shop:
    made = shop(auth=True, min_part_size=0)
    made.service.authenticator = Authenticator(OnePair("jay-token", "jay-secret"), made.clock.seconds)
    return made


def same(operation: int, meta: bytes) -> object:
    """What of a reply's metadata does not depend on when and where it was made."""
    meta = UUID.sub(b"id" * 18, TIME.sub(b"time" * 5, meta))
    if operation == frames.CREATE_UPLOAD:
        return len(Fields(meta).text()) > 0
    if operation == frames.COMPLETE_UPLOAD:
        done = values.completed(Fields(meta))
        return done.etag, done.size
    if operation == frames.LIST_OBJECTS:
        page = values.listing(Fields(meta))
        return [(one.key, one.size, one.etag, one.sha256, one.last_modified) for one in page.objects], page
    return meta


def test_jays_client_is_answered_as_by_jays_server(town: Shop):
    greeting = len(frames.greeting("jay-token", "jay-secret"))
    asked, jays = said(1, "client"), said(1, "server")
    peer = Peer(town, None).send(asked[:greeting])
    assert peer.take() == jays[:8]
    ours_id, jays_id = b"", b""
    for (operation, meta, data), jay in zip(frames_of(asked[greeting:]), frames_of(jays[8:]), strict=True):
        if jays_id:
            # The two ids are not equally long, and come with their length.
            meta = meta.replace(frames.string(jays_id), frames.string(ours_id))
        ours = peer.ask(operation, meta, data=data)
        expected = same(operation, jay[1]) if jay[0] == frames.OK else jay[1]
        found = same(operation, ours.meta) if ours.status == frames.OK else ours.meta
        if operation == frames.LIST_OBJECTS:
            assert isinstance(found, tuple)
            assert isinstance(expected, tuple)
            assert found[0] == expected[0]
            assert (found[1].prefixes, found[1].truncated) == (expected[1].prefixes, expected[1].truncated)
            assert found[1].next_start_after == expected[1].next_start_after
        else:
            assert (ours.status, found, ours.data) == (jay[0], expected, jay[2]), operation
        if operation == frames.CREATE_UPLOAD:
            ours_id, jays_id = Fields(ours.meta).raw(), Fields(jay[1]).raw()


def test_a_wrong_secret_is_refused_as_by_jays_server(town: Shop):
    peer = Peer(town, None).send(said(2, "client")).wait(0)
    assert peer.take() == said(2, "server")
