"""Heads of answers: whatever is in the headers, nobody reads more of them than were meant."""

from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.wire.answer_head import head_bytes, may_have_body, refusal

DATE = b"Server: GeckoS3\r\nDate: Sun, 09 Sep 2001 01:46:40 GMT"


def test_a_head_has_length_date_server_and_connection():
    head = head_bytes(404, [(b"ETag", b'"x"')], DATE, 5, b"close")
    assert head == (
        b"HTTP/1.1 404 Not Found\r\n" + DATE + b'\r\nETag: "x"\r\nContent-Length: 5\r\nConnection: close\r\n\r\n'
    )


def test_a_given_length_is_kept():
    head = head_bytes(200, [(b"content-LENGTH", b"7")], DATE, 0)
    assert head == b"HTTP/1.1 200 OK\r\n" + DATE + b"\r\ncontent-LENGTH: 7\r\n\r\n"


def test_a_status_without_a_name_has_a_line_too():
    assert head_bytes(299, [], DATE, None).startswith(b"HTTP/1.1 299 Unknown\r\n")


@given(
    st.lists(
        st.tuples(
            st.binary(min_size=1, max_size=9).filter(lambda name: name.lower() != b"content-length"),
            st.text(alphabet="a: \r\n\x00\x85\xe4", max_size=9).map(lambda value: value.encode("latin-1")),
        ),
        max_size=5,
    )
)
def test_headers_can_never_make_another_header(headers):
    head = head_bytes(200, headers, DATE, 5)
    assert head.endswith(b"\r\n\r\n")
    lines = head[:-4].split(b"\r\n")
    assert len(lines) == 1 + 2 + len(headers) + 1
    assert not any(byte in line for line in lines for byte in (b"\r", b"\n", b"\x00"))


def test_only_some_answers_are_followed_by_bytes():
    assert may_have_body(b"GET", 200)
    assert not may_have_body(b"HEAD", 200)
    assert not any(may_have_body(b"GET", status) for status in (100, 204, 304))


def test_a_refusal_of_the_wire_is_a_document_with_an_id_of_its_own():
    headers, document = refusal("BadRequest", "a < b")
    assert b"<Code>BadRequest</Code><Message>a &lt; b</Message>" in document
    assert dict(headers)[b"x-amz-request-id"] in document
    assert refusal("BadRequest", "a < b")[1] != document
