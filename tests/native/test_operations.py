from hashlib import md5, sha256

import pytest

from gecko_tw.native import frames
from gecko_tw.native.frames import i32, numbers, string
from tests.native.peers import Peer, Reply, town
from tests.resources.asking import shop

PHOTOS = string("photos")


def test_a_ping_is_answered_with_its_stream():
    assert Peer().ask(frames.PING, b"anything", stream=77) == Reply(frames.OK, 77, b"", b"")


def test_a_bucket_is_made_told_listed_and_removed():
    peer = Peer()
    made = peer.ask(frames.CREATE_BUCKET, PHOTOS).fields
    number, name, created, visibility = made.text(), made.text(), made.text(), made.text()
    assert (len(number), name, visibility) == (36, "photos", "private")
    told = peer.ask(frames.HEAD_BUCKET, PHOTOS).fields
    assert [told.text() for _ in range(4)] == [number, name, created, visibility]
    listed = peer.ask(frames.LIST_BUCKETS).fields
    assert (listed.count(), listed.text(), listed.text()) == (1, "photos", created)
    assert peer.ask(frames.DELETE_BUCKET, PHOTOS) == Reply(frames.OK, 0, b"", b"")
    assert peer.ask(frames.HEAD_BUCKET, PHOTOS).error == (1, "NoSuchBucket", "bucket not found")


def test_an_object_comes_back_as_it_was_put():
    peer = town()
    written = peer.put("a b/ü", b"hello", kind="text/plain", Author="Zoë", x="").fields
    digests = md5(b"hello").hexdigest(), sha256(b"hello").hexdigest()
    assert (written.text(), written.text()) == digests
    got = peer.get("a b/ü")
    head = peer.ask(frames.HEAD_OBJECT, PHOTOS, string("a b/ü"))
    assert (got.data, head.data, head.meta) == (b"hello", b"", got.meta)
    fields = got.fields
    assert (fields.text(), fields.i64(), fields.text(), fields.text()) == ("text/plain", 5, *digests)
    assert fields.text() == "2026-11-21T03:00:00Z"
    assert fields.mapping() == {"Author": "Zoë", "x": ""}
    assert peer.ask(frames.DELETE_OBJECT, PHOTOS, string("a b/ü")).status == frames.OK
    assert peer.ask(frames.DELETE_OBJECT, PHOTOS, string("a b/ü")).status == frames.OK
    assert peer.get("a b/ü").error == (1, "NoSuchKey", "object not found")


def test_what_is_told_of_an_object_is_never_that_of_an_older_one():
    peer = town()
    for content in (b"first", b"second", b""):
        peer.put("k", content, kind=content.decode())
        got = peer.get("k")
        assert (got.data, got.fields.text()) == (content, content.decode() or "application/octet-stream")


def test_what_was_answered_over_http_is_not_answered_to_frames_and_the_other_way_round():
    town_ = shop()
    peer = town(town=town_)
    town_.ask("PUT", "/photos/k", b"hello", headers={"content-type": "text/html", "x-amz-meta-a": "b"})
    for _ in range(3):
        over_http, framed = town_.ask("GET", "/photos/k"), peer.get("k")
        assert (over_http.body, framed.data) == (b"hello", b"hello")
        assert (over_http.header("content-type"), framed.fields.text()) == ("text/html", "text/html")


def test_a_page_of_keys_says_where_the_next_one_begins():
    peer = town()
    for key in ("a", "b/1", "b/2", "c"):
        peer.put(key, key.encode())
    found, after = [], ""
    while True:
        page = peer.ask(frames.LIST_OBJECTS, PHOTOS, string(""), string("/"), string(after), i32(1)).fields
        for _ in range(page.count()):
            key, size, etag = page.text(), page.i64(), page.text()
            assert (size, etag) == (len(key), md5(key.encode()).hexdigest())
            assert page.text() == sha256(key.encode()).hexdigest()
            assert (page.text(), page.text()) == ("2026-11-21T03:00:00Z", "")
            found.append(key)
        found += page.strings()
        truncated, after = page.boolean(), page.text()
        if not truncated:
            break
    assert (found, after) == (["a", "b/", "c"], "c")


def test_a_page_that_is_too_large_for_a_frame_ends_earlier():
    peer = town()
    keys = [f"{number:04}" + "x" * 1020 for number in range(1000)]
    for key in keys:
        peer.put(key, b"")
    found, after = [], ""
    for _ in range(3):
        reply = peer.ask(frames.LIST_OBJECTS, PHOTOS, string(""), string(""), string(after), i32(0))
        assert len(reply.meta) <= frames.MAX_META
        page = reply.fields
        for _ in range(page.count()):
            found.append(page.text())
            page.i64(), [page.text() for _ in range(4)]
        assert page.strings() == []
        if not page.boolean():
            break
        after = page.text()
    assert found == keys


def test_parts_become_an_object_by_their_numbers_alone():
    peer = town(min_part_size=0)
    where = PHOTOS + string("mp")
    upload = string(peer.ask(frames.CREATE_UPLOAD, where, string("text/plain")).fields.text())
    for number, content in ((1, b"one"), (2, b"two"), (3, b"three")):
        part = peer.ask(frames.UPLOAD_PART, where, upload, i32(number), data=content).fields
        assert (part.text(), part.text()) == (md5(content).hexdigest(), sha256(content).hexdigest())
    listed = peer.ask(frames.LIST_PARTS, where, upload).fields
    assert listed.count() == 3
    assert (listed.i32(), listed.i64(), listed.text(), listed.text()) == (
        1, 3, md5(b"one").hexdigest(), sha256(b"one").hexdigest(),
    )  # fmt: skip
    for _ in range(2):
        done = peer.ask(frames.COMPLETE_UPLOAD, where, upload, numbers([1, 3])).fields
        whole = md5(md5(b"one").digest() + md5(b"three").digest()).hexdigest() + "-2"
        assert (done.text(), done.text(), done.i64()) == (whole, "", 8)
    assert peer.get("mp").data == b"onethree"
    assert peer.ask(frames.ABORT_UPLOAD, where, upload).error == (1, "NoSuchUpload", "upload not found")


def test_an_upload_that_ended_differently_is_not_completed_again():
    peer = town(min_part_size=0)
    where = PHOTOS + string("mp")
    upload = string(peer.ask(frames.CREATE_UPLOAD, where, string("")).fields.text())
    peer.ask(frames.UPLOAD_PART, where, upload, i32(1), data=b"one")
    for wanted, code in (([2], "InvalidPart"), ([], "MalformedXML"), ([0], "InvalidArgument")):
        assert peer.ask(frames.COMPLETE_UPLOAD, where, upload, numbers(wanted)).error[:2] == (3, code)
    assert peer.ask(frames.COMPLETE_UPLOAD, where, upload, numbers([1])).status == frames.OK
    assert peer.ask(frames.COMPLETE_UPLOAD, where, upload, numbers([1, 2])).error[1] == "NoSuchUpload"


@pytest.mark.parametrize(
    ("operation", "fields", "error"),
    [
        (frames.CREATE_BUCKET, string("X"), (3, "InvalidBucketName", "invalid bucket name")),
        (frames.CREATE_BUCKET, string(""), (3, "InvalidBucketName", "invalid bucket name")),
        (frames.DELETE_BUCKET, string(""), (3, "InvalidBucketName", "invalid bucket name")),
        (frames.LIST_OBJECTS, string("") + string("") * 3 + i32(1), (3, "InvalidBucketName", "invalid bucket name")),
        (frames.DELETE_BUCKET, string("photos/a"), (3, "InvalidBucketName", "invalid bucket name")),
        (frames.DELETE_BUCKET, PHOTOS, (2, "BucketNotEmpty", "bucket is not empty")),
        (frames.DELETE_OBJECT, PHOTOS + string(""), (3, "InvalidArgument", "A key has at least one byte.")),
        (frames.GET_OBJECT, PHOTOS, (3, "InvalidArgument", "invalid request")),
        (frames.GET_OBJECT, b"", (3, "InvalidArgument", "invalid request")),
        (frames.PUT_OBJECT, b"\xff\xff", (3, "InvalidArgument", "invalid request")),
        (frames.GET_OBJECT, string("none") + string("k"), (1, "NoSuchBucket", "bucket not found")),
        (frames.HEAD_OBJECT, PHOTOS + string("none"), (1, "NoSuchKey", "object not found")),
        (0x55, b"", (3, "UnknownOp", "unknown operation")),
    ],
)
def test_what_is_refused_is_told_and_the_connection_goes_on(operation: int, fields: bytes, error: tuple[int, str, str]):
    peer = town()
    peer.put("k", b"kept")
    assert peer.ask(operation, fields, data=b"a body that nobody wants", stream=5).error == error
    assert peer.get("k").data == b"kept"


@pytest.mark.parametrize(
    "pairs",
    [
        {"": "no name"},
        {"a b": "no header's name"},
        {"a": "line\r\nbreak"},
        {"a": "nul\0"},
        {"a": " blank"},
        {"a": "=?UTF-8?B?aGk=?="},
        {"A": "1", "a": "2"},
        {"a": "x" * 2048},
    ],
)
def test_metadata_that_would_come_back_otherwise_is_refused(pairs: dict[str, str]):
    peer = town()
    said = string("") + frames.mapping(pairs)
    assert peer.ask(frames.PUT_OBJECT, PHOTOS, string("k"), said, data=b"x").status == frames.BAD_REQUEST
    assert peer.get("k").status == frames.NOT_FOUND


def test_each_request_is_logged_once_as_over_http():
    peer = town()
    peer.put("k", b"hello")
    peer.get("k")
    peer.get("none")
    peer.ask(frames.PUT_OBJECT, b"")
    lines = [(entry.operation, entry.method, entry.target, entry.status, entry.auth) for entry in peer.shop.log]
    assert lines == [
        ("CreateBucket", "PUT", b"/photos", 200, "connection"),
        ("PutObject", "PUT", b"/photos/k", 200, "connection"),
        ("GetObject", "GET", b"/photos/k", 200, "connection"),
        ("GetObject", "GET", b"/photos/none", 404, "connection"),
        ("", "PUT", b"/", 400, ""),
    ]
    assert [(entry.received, entry.sent) for entry in peer.shop.log[1:3]] == [(5, 0), (0, 5)]


def test_a_bucket_that_demands_a_claimed_checksum_takes_nothing_without_one():
    town_ = shop()
    town_.ask("PUT", "/photos", headers={"x-amz-bucket-object-lock-enabled": "true"})
    retention = b"<DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention>"
    rule = b"<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>" + retention + b"</Rule>"
    rule = b"<ObjectLockConfiguration>" + rule + b"</ObjectLockConfiguration>"
    assert town_.ask("PUT", "/photos?object-lock", rule).status == 200
    assert Peer(town_).put("k", b"x").error[:2] == (3, "InvalidRequest")


def test_a_server_that_is_busy_says_so_as_jay_does():
    peer = town()
    peer.shop.service.max_in_flight = 0
    assert peer.get("k").error == (3, "RateLimitExceeded", "rate limit exceeded")
