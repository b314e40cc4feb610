"""Heads: what they become, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.wire.heads import BadHead, read_head
from gecko_tw.wire.limits import Limits

LIMITS = Limits()


def head(*lines: str, start: str = "PUT /b/k HTTP/1.1", host: str = "Host: s3") -> bytes:
    return "\r\n".join([start, *([host] if host else []), *lines, "", ""]).encode("latin-1")


def opening(*lines: str, **more: str):
    return read_head(head(*lines, **more), LIMITS, "127.0.0.1:5", True)


def test_the_target_stays_as_it_was_sent():
    read = opening(start="GET /b/a%2Fb//c/../%e4+?tagging&x=%20?y HTTP/1.1")
    assert read.head.method == "GET"
    assert read.head.target == b"/b/a%2Fb//c/../%e4+?tagging&x=%20?y"
    assert read.head.path == b"/b/a%2Fb//c/../%e4+"
    assert read.head.query == b"tagging&x=%20?y"
    assert (read.head.peer, read.head.secure) == ("127.0.0.1:5", True)


def test_header_names_are_lower_case_and_values_are_stripped_and_joined():
    read = opening("X-Amz-Meta-A:  one two \t", "x-amz-meta-a: three", "Empty:", "Latin: \xe4")
    assert read.head.headers == {
        b"host": b"s3",
        b"x-amz-meta-a": b"one two,three",
        b"empty": b"",
        b"latin": b"\xe4",
    }


def test_a_target_in_absolute_form_names_the_host():
    read = opening(start="GET HTTP://other:9000/b/k?acl HTTP/1.1")
    assert (read.head.path, read.head.query) == (b"/b/k", b"acl")
    assert read.head.headers[b"host"] == b"other:9000"
    assert opening(start="GET http://other?acl HTTP/1.1").head.path == b"/"
    assert opening(start="OPTIONS * HTTP/1.1").head.path == b"*"


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ([], 0),
        (["Content-Length: 0"], 0),
        (["Content-Length: 123 "], 123),
        (["Transfer-Encoding: chunked"], None),
        (["Transfer-Encoding: CHUNKED"], None),
    ],
)
def test_the_length_of_the_body_is_known_from_the_head(lines, length):
    assert opening(*lines).length == length


@pytest.mark.parametrize(
    ("start", "lines", "keep"),
    [
        ("GET / HTTP/1.1", [], True),
        ("GET / HTTP/1.1", ["Connection: keep-alive"], True),
        ("GET / HTTP/1.1", ["Connection: Keep-Alive, Close"], False),
        ("GET / HTTP/1.1", ["Connection: x", "Connection: close"], False),
        ("GET / HTTP/1.0", [], False),
        ("GET / HTTP/1.0", ["Connection: Keep-Alive"], True),
    ],
)
def test_a_connection_is_kept_as_the_client_asks(start, lines, keep):
    assert opening(*lines, start=start).keep_alive is keep


def test_an_upgrade_is_an_offer_that_is_not_taken():
    read = opening(
        "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk", "Content-Length: 5"
    )
    assert (read.length, read.keep_alive) == (5, True)


def test_the_client_may_wait_for_a_word_before_it_sends_the_body():
    assert opening("Expect: 100-Continue", "Content-Length: 5").expects
    assert not opening("Expect: 100-continue", start="PUT / HTTP/1.0").expects
    assert not opening().expects
    assert not opening("Expect:", "Content-Length: 5").expects
    assert not opening("Expect: a miracle", "Content-Length: 5").expects


SMUGGLED = {
    "both lengths": ["Content-Length: 3", "Transfer-Encoding: chunked"],
    "both lengths the other way": ["Transfer-Encoding: chunked", "Content-Length: 3"],
    "two lengths": ["Content-Length: 3", "Content-Length: 4"],
    "one length twice": ["Content-Length: 3", "Content-Length: 3"],
    "a list of lengths": ["Content-Length: 3, 3"],
    "a signed length": ["Content-Length: +3"],
    "a negative length": ["Content-Length: -3"],
    "a hexadecimal length": ["Content-Length: 0x3"],
    "an empty length": ["Content-Length:"],
    "a spaced length": ["Content-Length: 1 2"],
    "an endless length": ["Content-Length: " + "9" * 30],
    "a space before the colon": ["Content-Length : 3"],
    "a folded line": ["X: a", " Content-Length: 3"],
    "a folded line with a tab": ["X: a", "\tTransfer-Encoding: chunked"],
    "a bare line feed": ["X: a\nContent-Length: 3"],
    "a bare carriage return": ["X: a\rContent-Length: 3"],
    "a null": ["X: a\x00b"],
    "no name": [": x"],
    "no colon": ["Content-Length"],
    "chunked twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "chunked in quotes": ['Transfer-Encoding: "chunked"'],
    "an unknown coding": ["Transfer-Encoding: xchunked"],
    "a coding that is not last": ["Transfer-Encoding: chunked, identity"],
    "a coding hidden by a vertical tab": ["Transfer-Encoding:\x0bchunked"],
    "two hosts": ["Host: other"],
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_a_head_with_two_readings_is_refused(name):
    with pytest.raises(BadHead) as refused:
        opening(*SMUGGLED[name])
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("status", "start", "lines"),
    [
        (501, "PUT / HTTP/1.1", ["Transfer-Encoding: gzip, chunked"]),
        (400, "PUT / HTTP/1.0", ["Transfer-Encoding: chunked"]),
        (505, "GET / HTTP/2.0", []),
        (505, "GET / HTTP/0.9", []),
        (505, "GET / RTSP/1.0", []),
        (505, "GET /", []),
        (400, "GET / HTTP/1.2", []),
        (400, "GET / HTTP/1.1 ", []),
        (400, "GET /a b HTTP/1.1", []),
        (400, "GET /\xe4 HTTP/1.1", []),
        (400, "GET /\x01 HTTP/1.1", []),
        (400, "GET b/k HTTP/1.1", []),
        (400, "GET ftp://s3/b HTTP/1.1", []),
        (400, "CONNECT s3:443 HTTP/1.1", []),
        (501, "get / HTTP/1.1", []),
        (501, "FROB / HTTP/1.1", []),
        (400, "\x16\x03\x01 / HTTP/1.1", []),
        (400, "", []),
    ],
)
def test_what_cannot_be_honoured_is_refused(status, start, lines):
    with pytest.raises(BadHead) as refused:
        opening(*lines, start=start)
    assert refused.value.status == status


def test_http_1_1_needs_a_host_and_1_0_does_not():
    with pytest.raises(BadHead):
        opening(host="")
    assert opening(host="", start="GET / HTTP/1.0").head.path == b"/"


def test_a_head_may_have_only_so_many_lines():
    assert opening(*["X: y"] * 99).head.headers[b"x"].count(b"y") == 99
    with pytest.raises(BadHead):
        opening(*["X: y"] * 100)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_become_a_head_or_a_refusal(start, more):
    raw = start.replace(b"\r\n\r\n", b"") + b"\r\n" + more.replace(b"\r\n\r\n", b"") + b"\r\n\r\n"
    try:
        read_head(raw, LIMITS)
    except BadHead as refused:
        assert refused.status in (400, 501, 505)
