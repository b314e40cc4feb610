"""Heads that are given again: nobody can tell an answer with one from an answer that was made anew."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gecko_tw.resources.answers import head_cache
from gecko_tw.resources.answers.head_cache import HeadCache
from tests.resources.asking import Shop, shop

_LIFECYCLE = (
    b"<LifecycleConfiguration><Rule><ID>old</ID><Filter><Prefix>%b</Prefix></Filter><Status>Enabled</Status>"
    b"<Expiration><Days>%d</Days></Expiration></Rule></LifecycleConfiguration>"
)
_CORS = b"<CORSConfiguration><CORSRule><AllowedOrigin>%b</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"
_TAGGING = b"<Tagging><TagSet><Tag><Key>a</Key><Value>%b</Value></Tag></TagSet></Tagging>"
_VERSIONING = b"<VersioningConfiguration><Status>%b</Status></VersioningConfiguration>"

_WEBSITE = b"<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>"

_FOR_EVERYBODY = (
    b'{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",'
    b' "Resource": "arn:aws:s3:::photos/*"}]}'
)
_TARGETS = ("/photos/cat.jpg", "/photos/dog.jpg")
_CHANGES: dict[str, tuple[str, str, list[bytes]]] = {
    "tagging": ("/photos/cat.jpg?tagging", "PUT", [_TAGGING % b"1", _TAGGING % b"2"]),
    "untagging": ("/photos/cat.jpg?tagging", "DELETE", [b""]),
    "lifecycle": (
        "/photos?lifecycle",
        "PUT",
        [_LIFECYCLE % (b"cat", 3), _LIFECYCLE % (b"dog", 4), _LIFECYCLE % (b"", 5)],
    ),
    "no lifecycle": ("/photos?lifecycle", "DELETE", [b""]),
    "cors": ("/photos?cors", "PUT", [_CORS % b"*", _CORS % b"http://a.example"]),
    "no cors": ("/photos?cors", "DELETE", [b""]),
    "versioning": ("/photos?versioning", "PUT", [_VERSIONING % b"Enabled", _VERSIONING % b"Suspended"]),
    "removal": ("/photos/cat.jpg", "DELETE", [b""]),
}
changes = st.sampled_from([(*where, body) for *where, bodies in _CHANGES.values() for body in bodies])
puts = st.tuples(
    st.sampled_from(_TARGETS),
    st.binary(max_size=3),
    st.sampled_from(
        [{}, {"content-type": "image/jpeg"}, {"x-amz-meta-a": "b"}, {"x-amz-storage-class": "STANDARD_IA"}]
    ),
)
read_headers = st.fixed_dictionaries(
    {},
    optional={
        "x-amz-checksum-mode": st.sampled_from(["ENABLED", "enabled", "no"]),
        "range": st.sampled_from(["bytes=0-0", "bytes=1-", "bytes=-1"]),
        "if-none-match": st.sampled_from(["*", '"x"']),
        "if-modified-since": st.just("Wed, 21 Oct 2065 07:28:00 GMT"),
        "origin": st.sampled_from(["http://a.example", "http://b.example"]),
        "user-agent": st.sampled_from(["curl/8", "rclone"]),
        "x-amz-date": st.sampled_from(["20260101T000000Z", "20260101T000001Z"]),
    },
)
reads = st.tuples(
    st.sampled_from(["GET", "HEAD"]),
    st.sampled_from([*_TARGETS, "/photos/cat.jpg?response-content-type=a/b", "/photos/cat.jpg?partNumber=1"]),
    read_headers,
)
plain_reads = st.tuples(st.just("GET"), st.just(_TARGETS[0]), st.sampled_from([{}, {"x-amz-checksum-mode": "ENABLED"}]))


def seen(there: Shop, method: str, target: str, headers: dict[str, str]) -> tuple[Any, ...]:
    """All that a client can tell of an answer, but for what is different every time."""
    reply = there.ask(method, target, headers=headers)
    told = {name.lower(): value for name, value in reply.headers if name.lower() != b"x-amz-request-id"}
    assert len(told) == len(reply.headers) - 1
    if method == "GET" and reply.status < 300:
        told.setdefault(b"content-length", b"%d" % len(reply.body))  # the wire adds it
    request_id = reply.header("x-amz-request-id")
    return reply.status, told, reply.body.replace(request_id.encode(), b"")


@settings(max_examples=200)
@given(st.lists(st.one_of(changes, puts, reads, plain_reads), min_size=5, max_size=20))
def test_nobody_can_tell_a_repeated_head_from_a_new_one(steps: list[Any]) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    for target in _TARGETS:
        there.ask("PUT", target, b"meow")
    for step in steps:
        first, second, third = step
        if isinstance(third, bytes):
            there.ask(second, first, third)
        elif isinstance(second, bytes):
            there.ask("PUT", first, second, headers=third)
        else:
            kept, there.service.head_cache = there.service.head_cache, HeadCache()
            anew = seen(there, first, second, third)
            there.service.head_cache = kept
            assert seen(there, first, second, third) == anew
            assert seen(there, first, second, third) == anew


def test_an_equal_request_is_answered_with_the_same_head() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.jpg", b"meow")
    there.ask("GET", "/photos/cat.jpg", headers={"user-agent": "a"})
    (known,) = there.service.head_cache._known.values()
    there.ask("GET", "/photos/cat.jpg", headers={"user-agent": "b"})
    assert list(there.service.head_cache._known.values()) == [known]


def test_so_many_heads_are_kept_and_no_long_one(monkeypatch: Any) -> None:
    monkeypatch.setattr(head_cache, "MOST", 3)
    there = shop()
    there.ask("PUT", "/photos")
    for number in range(10):
        there.ask("PUT", f"/photos/{number}", b"x", headers={"x-amz-meta-a": "b" * (2000 if number == 9 else 1)})
        assert there.ask("GET", f"/photos/{number}").header("x-amz-meta-a")
        assert len(there.service.head_cache._known) <= 3
    assert ("GET", b"/photos/9") not in there.service.head_cache._known


def test_a_page_of_a_website_and_an_object_never_share_a_head() -> None:
    there = shop(domains=("s3.test",), website_domains=("web.test",))
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.html", b"meow", headers={"content-type": "text/html"})
    there.ask("PUT", "/photos?website", _WEBSITE)
    there.ask("PUT", "/photos?policy", _FOR_EVERYBODY)
    target = "/cat.html?response-content-type=text/evil"
    for _ in range(2):
        for host, kind in (("photos.web.test", "text/html"), ("photos.s3.test", "text/evil")):
            for method in ("GET", "HEAD"):
                assert there.ask(method, target, headers={"host": host}).header("content-type") == kind
