"""What headers store with an object, and how a version is answered."""

import re
from base64 import b64encode
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.answers.refusals import InvalidRedirectLocation, InvalidStorageClass, NotImplemented_
from gecko_tw.resources.headers import objects
from gecko_tw.store.records import Checksum, Version
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, InvalidTag, MetadataTooLarge, TooManyTags

VERSION = Version(etag="e", size=5, modified=1_795_230_000_900_000_000)


def told(version: Version) -> dict[bytes, bytes]:
    return dict(objects.version_headers(version))


def test_a_plain_version_is_answered_with_the_headers_of_s3() -> None:
    assert told(VERSION) == {
        b"Last-Modified": b"Sat, 21 Nov 2026 03:00:00 GMT",
        b"ETag": b'"e"',
        b"Accept-Ranges": b"bytes",
        b"Content-Type": b"binary/octet-stream",
    }


SYSTEM = {
    b"content-type": b"text/html; charset=\xe9",
    b"cache-control": b"max-age=1",
    b"content-disposition": b'attachment; filename="\xc3\xa9"',
    b"content-encoding": b"gzip",
    b"content-language": b"de",
    b"expires": b"whenever",
    b"x-amz-website-redirect-location": b"/x",
    b"x-amz-storage-class": b"STANDARD_IA",
}


def test_stored_headers_come_back_byte_for_byte() -> None:
    version = Version(etag="e", size=0, modified=0, headers=objects.system_headers(SYSTEM))
    answered = {name.lower(): value for name, value in told(version).items()}
    assert SYSTEM.items() <= answered.items()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"aws-chunked", None),
        (b"gzip,aws-chunked", "gzip"),
        (b"aws-chunked, gzip , br", "gzip, br"),
        (b"deflate, gzip", "deflate, gzip"),
        (b"deflate,gzip", "deflate,gzip"),
        (b"AWS-Chunked", None),
        (b"gzip", "gzip"),
    ],
)
def test_the_framing_of_a_body_is_not_its_encoding(sent: bytes, kept: str | None) -> None:
    assert objects.system_headers({b"content-encoding": sent}).get("content-encoding") == kept


def test_standard_is_no_storage_class_to_remember() -> None:
    assert objects.system_headers({b"x-amz-storage-class": b"STANDARD"}) == {}


def test_a_storage_class_that_is_none_or_cannot_be_read_at_once_is_refused() -> None:
    with pytest.raises(InvalidStorageClass):
        objects.system_headers({b"x-amz-storage-class": b"GOLD"})
    with pytest.raises(NotImplemented_):
        objects.system_headers({b"x-amz-storage-class": b"DEEP_ARCHIVE"})


def test_user_metadata_is_kept_without_its_prefix() -> None:
    assert objects.user_metadata({b"x-amz-meta-a": b"1", b"x-amz-meta-": b"no", b"x-other": b"2"}) == {"a": "1"}


@pytest.mark.parametrize("name", [b"a b", b"a:b", b"a\r\nset-cookie", "ü".encode(), b"a\x00"])
def test_user_metadata_has_names_that_headers_can_have(name: bytes) -> None:
    with pytest.raises(InvalidArgument):
        objects.user_metadata({b"x-amz-meta-" + name: b"1"})


@given(st.text(min_size=1, max_size=20))
def test_metadata_that_was_adopted_under_any_name_breaks_no_head(name: str) -> None:
    (told_name,) = (one for one in told(Version(etag="e", size=0, modified=0, metadata={name: "1"})) if b"meta" in one)
    assert re.fullmatch(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", told_name)


@given(st.integers(0, 4096))
def test_two_kibibytes_of_user_metadata_are_allowed(size: int) -> None:
    sent = {b"x-amz-meta-four": b"x" * size}
    if size + len(b"four") <= 2048:
        assert objects.user_metadata(sent) == {"four": "x" * size}
    else:
        with pytest.raises(MetadataTooLarge):
            objects.user_metadata(sent)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_metadata_beyond_ascii_is_written_so_that_mail_readers_understand_it(text: str) -> None:
    value = told(Version(etag="e", size=0, modified=0, metadata={"name": text}))[b"x-amz-meta-name"]
    assert value.isascii()
    assert b"\n" not in value
    assert b"\r" not in value
    if not text.isascii():
        assert str(make_header(decode_header(value.decode()))) == text


def test_metadata_that_arrives_encoded_is_kept_and_counted_decoded() -> None:
    word = b"=?UTF-8?B?" + b64encode(b"x" * 2047) + b"?="
    assert objects.user_metadata({b"x-amz-meta-a": word}) == {"a": "x" * 2047}
    with pytest.raises(MetadataTooLarge) as refused:
        objects.user_metadata({b"x-amz-meta-a": word, b"x-amz-meta-b": b""})
    assert refused.value.details["Size"] == "2049"


def test_a_tab_comes_back_as_a_tab() -> None:
    found = told(Version(etag="e", size=0, modified=0, metadata={"a": "b\tc"}, headers={"content-disposition": "d\te"}))
    assert (found[b"x-amz-meta-a"], found[b"Content-Disposition"]) == (b"b\tc", b"d\te")


def test_metadata_that_is_no_utf8_loses_no_byte() -> None:
    assert objects.user_metadata({b"x-amz-meta-a": b"\xe9"}) == {"a": "é"}
    assert objects.user_metadata({b"x-amz-meta-a": b"\xc3\xa9"}) == {"a": "é"}


@given(st.dictionaries(st.sampled_from(["content-type", "cache-control", "expires", "x-other"]), st.text(), max_size=4))
def test_no_adopted_header_can_begin_another_line(found: dict[str, str]) -> None:
    for name, value in told(Version(etag="e", size=0, modified=0, headers=found)).items():
        assert not set(name + value) & set(b"\r\n\x00")


@pytest.mark.parametrize(
    ("sent", "tags"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=&b", {"a": "", "b": ""}),
        (b"a%20b=c%2Bd&e+f=%C3%A9", {"a b": "c+d", "e f": "é"}),
    ],
)
def test_tags_are_encoded_as_a_query(sent: bytes, tags: dict[str, str]) -> None:
    assert objects.stored({b"x-amz-tagging": sent}).tags == tags


@pytest.mark.parametrize(
    "sent",
    [
        b"a=%26",
        b"aws:a=1",
        b"k" * 129 + b"=v",
        b"k=" + b"v" * 257,
    ],
)
def test_tags_beyond_the_limits_are_refused(sent: bytes) -> None:
    with pytest.raises(InvalidTag):
        objects.parse_tags(sent)


def test_too_many_tags_are_a_bad_request() -> None:
    with pytest.raises(TooManyTags):
        objects.parse_tags(b"&".join(b"k%d=v" % n for n in range(11)))


@pytest.mark.parametrize(
    "sent", [b"a=1&a=2", b"a&a", b"=", b"=1", b"a=1&=2", b"a%", b"a%2", b"a=%zz", b"a=b=c", b"a==", b"a=%ff", b"a=\xff"]
)
def test_tags_that_are_no_query_are_a_malformed_header(sent: bytes) -> None:
    with pytest.raises(InvalidArgument, match="without tag name duplicates"):
        objects.parse_tags(sent)


@pytest.mark.parametrize("place", ["example.com", "ftp://example.com", "//", "HTTP://example.com", "mailto:a@b"])
def test_a_page_redirects_to_a_path_or_a_url(place: str) -> None:
    name = "x-amz-website-redirect-location"
    if place.startswith("/"):
        assert objects.stored({name.encode(): place.encode()}).headers == {name: place}
    else:
        with pytest.raises(InvalidRedirectLocation):
            objects.stored({name.encode(): place.encode()})


def test_the_number_of_tags_is_told() -> None:
    assert told(Version(etag="e", size=0, modified=0, tags={"a": "1", "b": "2"}))[b"x-amz-tagging-count"] == b"2"


def test_a_version_id_is_told_when_there_is_versioning() -> None:
    assert told(Version(version_id="v1", etag="e", size=0, modified=0))[b"x-amz-version-id"] == b"v1"
    assert b"x-amz-version-id" not in told(VERSION)


def test_an_answer_without_a_body_has_only_what_a_cache_needs() -> None:
    version = Version(etag="e", size=0, modified=0, headers={"cache-control": "max-age=1", "content-type": "a/b"})
    assert {name for name, _ in objects.not_modified_headers(version)} == {b"Last-Modified", b"ETag", b"Cache-Control"}


def test_a_checksum_is_told_with_its_kind() -> None:
    assert objects.checksum_headers(Checksum("CRC32C", "AAAAAA==", "COMPOSITE")) == [
        (b"x-amz-checksum-crc32c", b"AAAAAA=="),
        (b"x-amz-checksum-type", b"COMPOSITE"),
    ]
    assert objects.checksum_headers(None) == []
    assert objects.checksum_element(None) == ""
    assert objects.checksum_element(Checksum("SHA1", "x"), kind=False) == "<ChecksumSHA1>x</ChecksumSHA1>"


def test_a_response_header_can_be_asked_for_in_the_query() -> None:
    found = objects.overridden(
        objects.version_headers(VERSION), {"response-content-type": "a/b", "response-expires": "é"}
    )
    assert dict(found)[b"Content-Type"] == b"a/b"
    assert dict(found)[b"Expires"] == "é".encode()
    assert len([name for name, _ in found if name == b"Content-Type"]) == 1
    with pytest.raises(InvalidArgument):
        objects.overridden([], {"response-cache-control": "a\r\nb: c"})


def test_a_checksum_algorithm_is_one_that_s3_has() -> None:
    assert objects.checksum_algorithm({}) is None
    assert objects.checksum_algorithm({b"x-amz-checksum-algorithm": b"crc64nvme"}) == "CRC64NVME"
    with pytest.raises(InvalidRequest):
        objects.checksum_algorithm({b"x-amz-checksum-algorithm": b"crc8"})
