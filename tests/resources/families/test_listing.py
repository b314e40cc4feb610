"""Pages of keys."""

from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.documents.listing import Spelling, read_token, write_token
from gecko_tw.resources.documents.markup import escape
from gecko_tw.store.refusals import InvalidArgument
from tests.resources.asking import Shop, shop
from tests.resources.dispatch.test_tree import encoded
from tests.resources.reading import read


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    for key in ("a", "b/c", "b/d", "e", "é"):
        there.ask("PUT", f"/photos/{quote(key)}", b"meow")
    return there


@pytest.mark.parametrize("query", ["", "?list-type=2", "?prefix=a", "?list-type=2&max-keys=0"])
def test_a_listing_tells_where_the_bucket_is(there: Shop, query: str) -> None:
    place = b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
    there.ask("PUT", "/abroad", place)
    assert there.ask("GET", f"/photos{query}").header("x-amz-bucket-region") == "us-east-1"
    assert there.ask("GET", f"/abroad{query}").header("x-amz-bucket-region") == "eu-west-1"


def names(page: dict[str, Any]) -> list[str]:
    found = [entry["Key"] for entry in page.get("Contents", [])]
    return sorted(found + [entry["Prefix"] for entry in page.get("CommonPrefixes", [])])


keys = st.sets(st.binary(min_size=1, max_size=4) | st.text("ab/", min_size=1, max_size=6).map(str.encode), max_size=10)


@given(
    keys=keys, delimiter=st.sampled_from(["", "/", "a", "b/"]), size=st.integers(1, 4), version=st.sampled_from([1, 2])
)
def test_pages_tell_of_each_key_and_prefix_once(keys: set[bytes], delimiter: str, size: int, version: int) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    for key in keys:
        there.ask("PUT", b"/photos/" + encoded(key))
    operation = "ListObjectsV2" if version == 2 else "ListObjects"
    query, found = "", []
    for _ in range(2 * len(keys) + 2):
        kind = "list-type=2&" if version == 2 else ""
        target = f"/photos?{kind}encoding-type=url&max-keys={size}&delimiter={quote(delimiter)}{query}"
        page = read(operation, there.ask("GET", target))
        found += [unquote(name, errors="surrogateescape").encode("utf-8", "surrogateescape") for name in names(page)]
        assert len(names(page)) <= size
        assert version == 1 or page["KeyCount"] == len(names(page))
        if not page["IsTruncated"]:
            break
        if version == 2:
            query = f"&continuation-token={quote(page['NextContinuationToken'])}"
        else:
            query = f"&marker={page.get('NextMarker') or page['Contents'][-1]['Key']}"
    else:
        raise AssertionError("the listing never ends")
    mark = delimiter.encode()
    folded = {key[: key.index(mark) + len(mark)] if mark and mark in key else key for key in keys}
    assert sorted(found) == sorted(folded)


@given(st.binary(max_size=1100))
def test_a_token_gives_its_key_back(key: bytes) -> None:
    assert read_token(write_token(key)) == key


@given(st.text(max_size=40) | st.binary(max_size=30).map(lambda raw: quote(raw)))
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument):
        read_token(token)


def test_the_token_of_geckos3_is_refused_and_not_ignored(there: Shop) -> None:
    assert there.ask("GET", "/photos?list-type=2&continuation-token=YQ==").status == 400
    assert there.ask("GET", "/photos?list-type=2&continuation-token=").status == 400


def test_an_entry_says_what_s3_says(there: Shop) -> None:
    page = read("ListObjectsV2", there.ask("GET", "/photos?list-type=2&prefix=a"))
    (entry,) = page["Contents"]
    assert (entry["Key"], entry["Size"], entry["StorageClass"]) == ("a", 4, "STANDARD")
    assert entry["ETag"] == '"4a4be40c96ac6314e91d93f38043a634"'
    assert entry["LastModified"].isoformat() == "2026-11-21T03:00:00+00:00"
    assert entry["ChecksumAlgorithm"] == ["CRC64NVME"]
    assert "Owner" not in entry
    assert (page["Name"], page["Prefix"], page["MaxKeys"], page["IsTruncated"]) == ("photos", "a", 1000, False)


def test_an_owner_is_told_to_who_asks_and_always_in_the_first_version(there: Shop) -> None:
    page = read("ListObjectsV2", there.ask("GET", "/photos?list-type=2&fetch-owner=true"))
    assert {entry["Owner"]["ID"] for entry in page["Contents"]} == {there.service.owner}
    page = read("ListObjects", there.ask("GET", "/photos"))
    assert {entry["Owner"]["ID"] for entry in page["Contents"]} == {there.service.owner}


def test_start_after_counts_until_there_is_a_token(there: Shop) -> None:
    page = read("ListObjectsV2", there.ask("GET", "/photos?list-type=2&start-after=b/c&max-keys=1"))
    assert (names(page), page["StartAfter"]) == (["b/d"], "b/c")
    token = quote(page["NextContinuationToken"])
    page = read("ListObjectsV2", there.ask("GET", f"/photos?list-type=2&start-after=zzz&continuation-token={token}"))
    assert names(page) == ["e", "é"]


@given(
    st.lists(st.lists(st.sampled_from([b"a", b"/", b"%", b"&", b"\n", b"\0", b" ", b"\xc3", b"\xa9"])).map(b"".join))
)
@pytest.mark.parametrize("encoded", [False, True])
def test_keys_are_spelled_together_as_each_is_alone(encoded: bool, keys: list[bytes]) -> None:
    spell = Spelling(encoded)
    assert spell.contents(keys) == [escape(spell(key)) for key in keys]


@pytest.mark.parametrize(
    ("operation", "query"),
    [
        ("ListObjects", "marker={}"),
        ("ListObjectsV2", "list-type=2&start-after={}"),
        ("ListObjectVersions", "versions&key-marker={}"),
        ("ListMultipartUploads", "uploads&key-marker={}"),
    ],
)
def test_a_marker_in_a_folder_goes_on_behind_the_folder(operation: str, query: str) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    for key in ("f/sub/1", "f/sub/2", "f/x", "f/y"):
        there.ask("PUT", f"/photos/{key}", b"")
        there.ask("POST", f"/photos/{key}?uploads")
    for marker, expected in (("f/sub/1", ["f/x", "f/y"]), ("f/sub", ["f/sub/", "f/x", "f/y"]), ("f/x", ["f/y"])):
        page = read(operation, there.ask("GET", f"/photos?prefix=f/&delimiter=/&{query.format(marker)}"))
        entries = [entry["Key"] for name in ("Contents", "Versions", "Uploads") for entry in page.get(name, [])]
        assert [entry["Prefix"] for entry in page.get("CommonPrefixes", [])] + entries == expected


def test_a_next_marker_is_told_with_a_delimiter_only(there: Shop) -> None:
    assert "NextMarker" not in read("ListObjects", there.ask("GET", "/photos?max-keys=2"))
    page = read("ListObjects", there.ask("GET", "/photos?max-keys=2&delimiter=/"))
    assert (names(page), page["NextMarker"]) == (["a", "b/"], "b/")


@pytest.mark.parametrize("version", ["", "list-type=2&"])
def test_no_keys_asked_for_are_no_keys_and_nothing_follows(there: Shop, version: str) -> None:
    page = read("ListObjectsV2", there.ask("GET", f"/photos?{version}max-keys=0&delimiter=/"))
    assert (names(page), page["IsTruncated"], page["MaxKeys"]) == ([], False, 0)
    assert there.ask("GET", f"/none?{version}max-keys=0").status == 404


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "2147483648", "٣", "9" * 30])
def test_a_number_of_keys_that_is_none_is_refused(there: Shop, number: str) -> None:
    assert there.ask("GET", f"/photos?list-type=2&max-keys={quote(number)}").status == 400


def test_more_than_a_thousand_keys_are_never_listed(there: Shop) -> None:
    assert read("ListObjectsV2", there.ask("GET", "/photos?list-type=2&max-keys=5000"))["MaxKeys"] == 1000


def test_another_list_type_or_encoding_is_refused(there: Shop) -> None:
    assert there.ask("GET", "/photos?list-type=3").status == 400
    assert there.ask("GET", "/photos?encoding-type=base64").status == 400


def test_everything_a_client_may_have_named_is_encoded(there: Shop) -> None:
    target = "/photos?list-type=2&encoding-type=url&prefix=%C3%A9&delimiter=%2B&start-after=%20&max-keys=9"
    body = there.ask("GET", target).body
    for spelled in (
        b"<Prefix>%C3%A9</Prefix>",
        b"<Delimiter>%2B</Delimiter>",
        b"<StartAfter>%20</StartAfter>",
        b"<Key>%C3%A9<",
    ):
        assert spelled in body


def test_a_key_that_xml_cannot_hold_does_not_break_the_page(there: Shop) -> None:
    there.ask("PUT", "/photos/%01%FF%00", b"x")
    page = read("ListObjectsV2", there.ask("GET", "/photos?list-type=2"))
    assert page["Contents"][0]["Key"] == "\ufffd\ufffd\ufffd"
