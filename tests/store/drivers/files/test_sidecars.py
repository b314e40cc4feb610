"""GeckoS3's sidecars, byte for byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store import incoming
from gecko_tw.store.drivers.files.sidecars import nanoseconds, pseudo_etag, read_sidecar, rfc3339, sidecar_text
from gecko_tw.store.records import Version

NOON = 1_700_000_000_000_000_000


def test_a_sidecar_is_one_compact_line_in_the_order_of_geckos3():
    version = Version(
        etag="0123456789abcdef0123456789abcdef",
        size=42,
        modified=NOON + 120_000_000,
        headers={
            "cache-control": "no-cache",
            "content-disposition": 'attachment; filename="a<b>&c"',
            "content-encoding": "gzip",
            "content-type": "text/html",
            "content-language": "en",
        },
        metadata={"zebra": "last", "apple": "first"},
    )
    assert sidecar_text(version) == (
        b'{"size":42,"lastModified":"2023-11-14T22:13:20.12Z","etag":"\\"0123456789abcdef0123456789abcdef\\"",'
        b'"contentType":"text/html","contentEncoding":"gzip",'
        b'"contentDisposition":"attachment; filename=\\"a\\u003cb\\u003e\\u0026c\\"","cacheControl":"no-cache",'
        b'"customMetadata":{"apple":"first","zebra":"last"}}'
    )


def test_an_object_without_a_type_has_the_default_one_and_nothing_that_is_empty():
    assert sidecar_text(Version(etag="e", size=0, modified=NOON)) == (
        b'{"size":0,"lastModified":"2023-11-14T22:13:20Z","etag":"\\"e\\"","contentType":"application/octet-stream"}'
    )


def test_bytes_of_headers_are_written_as_the_utf8_they_are():
    version = Version(etag="e", size=0, modified=NOON, metadata={"name": "é".encode().decode("latin-1"), "bad": "\xff"})
    assert '"customMetadata":{"bad":"\ufffd","name":"é"}'.encode() in sidecar_text(version)


def test_our_own_fields_come_last_and_are_read_back():
    data = sidecar_text(Version(etag="e", size=0, modified=NOON), {"description": "text"})
    assert data.endswith(b',"geckos3":{"description":"text"}}')
    assert read_sidecar(data).ours == {"description": "text"}


@given(
    st.dictionaries(
        st.text("abc-", min_size=1), st.binary(max_size=9).map(lambda value: value.decode("latin-1")), max_size=3
    ),
    st.integers(0, 2**61),
)
def test_a_sidecar_is_read_as_it_was_written(metadata, modified):
    metadata = {name: value for name, value in metadata.items() if _is_utf8(value)}
    headers = {"content-type": "image/jpeg", "cache-control": "private"}
    written = sidecar_text(Version(etag="e-2", size=3, modified=modified, headers=headers, metadata=metadata))
    sidecar = read_sidecar(written)
    assert (sidecar.size, sidecar.modified, sidecar.etag) == (3, modified, "e-2")
    assert (sidecar.headers, sidecar.metadata) == (headers, metadata)


def _is_utf8(value: str) -> bool:
    return value.encode("latin-1").decode("utf-8", "replace").encode() == value.encode("latin-1")


def test_names_of_fields_are_read_in_any_case_and_unknown_ones_passed_over():
    data = b'{"SIZE":3,"LastModified":"2023-11-14T23:13:20.5+01:00","ETag":"\\"x\\"","future":[1],"CONTENTTYPE":"a/b"}'
    sidecar = read_sidecar(data)
    assert (sidecar.size, sidecar.modified, sidecar.etag) == (3, NOON + 500_000_000, "x")
    assert sidecar.headers == {"content-type": "a/b"}


def test_the_framing_of_the_body_is_no_encoding_of_the_object():
    assert read_sidecar(b'{"size":1,"contentEncoding":"aws-chunked"}').headers == {}
    assert read_sidecar(b'{"size":1,"contentEncoding":"aws-chunked, gzip"}').headers == {"content-encoding": "gzip"}


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"[]", b"{", b'"x"', b'{"size":"3"}', b'{"size":1.5}', b'{"size":true}', b'{"etag":3}'),
        *(b'{"lastModified":"yesterday"}', b'{"lastModified":3}', b'{"customMetadata":{"a":1}}', b'{"contentType":[]}'),
    ],
)
def test_a_field_of_the_wrong_type_makes_the_whole_sidecar_missing(data):
    assert read_sidecar(data) is None


@given(st.integers(0, 2**62))
def test_times_are_read_as_they_were_written(moment):
    assert nanoseconds(rfc3339(moment)) == moment
    assert json.dumps(rfc3339(moment)).endswith('Z"')


@pytest.mark.parametrize(
    "text", ["2023-11-14 22:13:20Z", "2023-11-14T22:13:20", "2023-11-14T22:13:20.Z", "2023-13-14T22:13:20Z"]
)
def test_what_is_no_rfc3339_is_refused(text):
    with pytest.raises(ValueError):
        nanoseconds(text)


def test_the_pseudo_etag_is_that_of_geckos3_and_no_md5():
    assert pseudo_etag(5, 1_700_000_000_123_456_789) == "aaee2ab176146eb400e8b4ef79f6726e-1"
    assert pseudo_etag(5, 7) == incoming.pseudo_etag(5, 7)
