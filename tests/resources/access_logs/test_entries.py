"""The lines of the request log."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from gecko_tw.resources.access_logs.entries import AccessEntry, json_line, masked, text_line

ENTRY = AccessEntry(
    1_795_230_000.9, 0.0129, "00AB", "GET", b"/photos/cat.jpg?x=1", 200, 4, "192.0.2.1:4711", "GetObject"
)


def test_a_line_has_the_fields_of_geckos3_in_their_order() -> None:
    assert json.loads(json_line(ENTRY)) == {
        "timestamp": "2026-11-21T03:00:00Z",
        "request_id": "00AB",
        "method": "GET",
        "uri": "/photos/cat.jpg?x=1",
        "status": 200,
        "duration_ms": 12,
        "bytes": 4,
        "client_ip": "192.0.2.1:4711",
        "operation": "GetObject",
        "level": "info",
    }
    assert list(json.loads(json_line(ENTRY)))[0] == "timestamp"


def test_a_line_tells_who_put_how_much_where_and_how_it_went() -> None:
    entry = ENTRY._replace(bucket="photos", access_key="key", auth="header", received=7, status=403)
    line = json.loads(json_line(entry))
    told = {name: line[name] for name in ("operation", "bucket", "access_key", "auth", "bytes_in", "level")}
    assert told == {
        "operation": "GetObject",
        "bucket": "photos",
        "access_key": "key",
        "auth": "header",
        "bytes_in": 7,
        "level": "warn",
    }
    assert json.loads(json_line(ENTRY._replace(status=500)))["level"] == "error"


def test_no_bytes_and_no_error_are_left_out_and_an_error_is_told() -> None:
    line = json.loads(json_line(ENTRY._replace(sent=0, error="NoSuchKey: gone")))
    assert "bytes" not in line
    assert line["error"] == "NoSuchKey: gone"


def test_what_would_let_a_reader_act_as_the_caller_is_masked() -> None:
    target = (
        b"/b/k?X-Amz-Signature=5ec3e7&x-amz-credential=key%2F20261121&X-Amz-Security-Token=t0ken&prefix=a&X-Amz-Date=1"
    )
    assert (
        masked(target) == "/b/k?X-Amz-Signature=***&x-amz-credential=***&X-Amz-Security-Token=***&prefix=a&X-Amz-Date=1"
    )


def test_a_key_of_encryption_in_a_presigned_url_is_masked() -> None:
    target = b"/b/k?X-Amz-Server-Side-Encryption-Customer-Key=c2VjcmV0&X-Amz-Server-Side-Encryption-Customer-Key-MD5=m"
    assert masked(target) == target.replace(b"c2VjcmV0", b"***").decode()


def test_an_encoded_name_of_a_secret_is_masked_too() -> None:
    assert "5ec3e7" not in masked(b"/b/k?X-Amz%2DSignature=5ec3e7&%58-Amz-Signature=5ec3e7")


@given(st.binary(max_size=60))
@example("\x85\u2028".encode())
def test_every_target_makes_one_line(target: bytes) -> None:
    for line in (json_line(ENTRY._replace(target=target)), text_line(ENTRY._replace(target=target))):
        assert len(line.splitlines()) == 1
        line.encode()


def test_the_line_for_people_has_it_all() -> None:
    line = text_line(ENTRY._replace(error="NoSuchKey: gone"))
    assert line == (
        "2026-11-21T03:00:00Z 192.0.2.1:4711 GET /photos/cat.jpg?x=1 200 4 12ms GetObject 00AB NoSuchKey: gone"
    )
