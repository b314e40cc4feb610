"""Versions as clients see them."""

import pytest

from gecko_tw.resources.headers.objects import http_date
from tests.resources.asking import NOW, Shop, shop
from tests.resources.reading import read

PHOTO = "/photos/cat.jpg"


def switch(there: Shop, status: str) -> int:
    document = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"
    return there.ask("PUT", "/photos?versioning", document.encode()).status


@pytest.fixture
def there() -> Shop:
    there = shop(min_part_size=1)
    there.ask("PUT", "/photos")
    assert switch(there, "Enabled") == 200
    return there


def put(there: Shop, body: bytes, target: str = PHOTO, **more: object) -> str:
    reply = there.ask("PUT", target, body, **more)
    assert reply.status == 200
    return reply.header("x-amz-version-id") or ""


def code(reply: object) -> str:
    return reply.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()  # type: ignore[attr-defined]


def listed(there: Shop, query: str = "") -> dict:
    return read("ListObjectVersions", there.ask("GET", f"/photos?versions{query}"))


def test_what_was_set_is_told(there: Shop) -> None:
    assert read("GetBucketVersioning", there.ask("GET", "/photos?versioning"))["Status"] == "Enabled"
    assert switch(there, "Suspended") == 200
    assert read("GetBucketVersioning", there.ask("GET", "/photos?versioning"))["Status"] == "Suspended"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", "IllegalVersioningConfigurationException"),
        ("<Status>enabled</Status>", "MalformedXML"),
        ("<Status/>", "MalformedXML"),
        ("<Other/>", "MalformedXML"),
        ("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>", "NotImplemented"),
        ("<Status>Suspended</Status><MfaDelete>yes</MfaDelete>", "MalformedXML"),
    ],
)
def test_a_configuration_that_is_none_changes_nothing(there: Shop, inside: str, expected: str) -> None:
    document = f"<VersioningConfiguration>{inside}</VersioningConfiguration>"
    assert code(there.ask("PUT", "/photos?versioning", document.encode())) == expected
    assert b"<Status>Enabled</Status>" in there.ask("GET", "/photos?versioning").body


def test_every_put_makes_a_version_that_stays(there: Shop) -> None:
    first, second = put(there, b"1"), put(there, b"2")
    assert first != second
    assert there.ask("GET", PHOTO).header("x-amz-version-id") == second
    reply = there.ask("GET", f"{PHOTO}?versionId={first}")
    assert (reply.body, reply.header("x-amz-version-id")) == (b"1", first)
    assert there.ask("HEAD", f"{PHOTO}?versionId={first}").header("content-length") == "1"


def test_a_deleted_object_says_so(there: Shop) -> None:
    version = put(there, b"1")
    deleted = there.ask("DELETE", PHOTO)
    marker = deleted.header("x-amz-version-id")
    assert (deleted.status, deleted.header("x-amz-delete-marker")) == (204, "true")
    for method in ("GET", "HEAD"):
        current = there.ask(method, PHOTO)
        assert (current.status, current.header("x-amz-delete-marker")) == (404, "true")
        assert current.header("x-amz-version-id") == marker
        named = there.ask(method, f"{PHOTO}?versionId={marker}")
        assert (named.status, named.header("allow"), named.header("x-amz-delete-marker")) == (405, "DELETE", "true")
        assert (current.header("last-modified"), named.header("last-modified")) == (None, http_date(int(NOW)).decode())
    again = there.ask("DELETE", f"{PHOTO}?versionId={marker}")
    assert (again.status, again.header("x-amz-version-id"), again.header("x-amz-delete-marker")) == (
        204,
        marker,
        "true",
    )
    assert there.ask("GET", PHOTO).header("x-amz-version-id") == version


def test_a_version_is_deleted_for_good_and_may_be_deleted_again(there: Shop) -> None:
    version = put(there, b"1")
    for _ in range(2):
        reply = there.ask("DELETE", f"{PHOTO}?versionId={version}")
        assert (reply.status, reply.header("x-amz-version-id")) == (204, version)
        assert reply.header("x-amz-delete-marker") is None
    assert code(there.ask("GET", f"{PHOTO}?versionId={version}")) == "NoSuchVersion"
    assert there.ask("DELETE", "/photos").status == 204


def test_the_null_version_is_named_to_readers_only_where_versioning_was_set() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    assert put(there, b"0") == ""
    assert there.ask("GET", PHOTO).header("x-amz-version-id") is None
    switch(there, "Suspended")
    assert put(there, b"1") == ""
    for reply in (
        there.ask("GET", PHOTO),
        there.ask("HEAD", PHOTO),
        there.ask("GET", PHOTO, headers={"if-none-match": "*"}),
    ):
        assert reply.header("x-amz-version-id") == "null"
    deleted = there.ask("DELETE", PHOTO)
    assert (deleted.header("x-amz-version-id"), deleted.header("x-amz-delete-marker")) == ("null", "true")
    assert len(listed(there)["DeleteMarkers"]) == 1
    assert "Versions" not in listed(there)


def test_conditions_are_about_the_current_version_and_a_delete_marker_is_nothing(there: Shop) -> None:
    put(there, b"1")
    absent = {"if-none-match": "*"}
    assert there.ask("PUT", PHOTO, b"2", headers=absent).status == 412
    there.ask("DELETE", PHOTO)
    assert code(there.ask("PUT", PHOTO, b"2", headers={"if-match": "*"})) == "NoSuchKey"
    assert there.ask("PUT", PHOTO, b"2", headers=absent).status == 200


def test_a_listing_has_all_versions_and_markers_newest_first(there: Shop) -> None:
    first, second = put(there, b"1"), put(there, b"22", headers={"x-amz-storage-class": "STANDARD_IA"})
    marker = there.ask("DELETE", PHOTO).header("x-amz-version-id")
    other = put(there, b"", "/photos/dog.jpg")
    body = there.ask("GET", "/photos?versions").body
    places = [body.index(f"<VersionId>{one}<".encode()) for one in (marker, second, first, other)]
    assert places == sorted(places)
    found = listed(there)
    assert [(one["VersionId"], one["IsLatest"], one["Size"]) for one in found["Versions"]] == [
        (second, False, 2),
        (first, False, 1),
        (other, True, 0),
    ]
    assert found["Versions"][0]["StorageClass"] == "STANDARD_IA"
    assert found["Versions"][0]["ChecksumAlgorithm"] == ["CRC64NVME"]
    assert [(one["VersionId"], one["IsLatest"]) for one in found["DeleteMarkers"]] == [(marker, True)]
    assert found["DeleteMarkers"][0]["Owner"] == found["Versions"][0]["Owner"]
    plain = there.ask("GET", "/photos?list-type=2").body
    assert (plain.count(b"<Contents>"), b"cat.jpg" in plain) == (1, False)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("delimiter", ["", "&delimiter=/"])
def test_pages_of_any_size_have_everything_once(there: Shop, size: int, delimiter: str) -> None:
    for key in ("a", "a/b", "a/c", "b"):
        for body in (b"1", b"2"):
            put(there, body, f"/photos/{key}")
    there.ask("DELETE", "/photos/a")

    def lines(page: dict) -> list:
        entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        found = [(one["Key"], one["VersionId"]) for one in entries]
        return found + [one["Prefix"] for one in page.get("CommonPrefixes", ())]

    whole, found, marker = lines(listed(there, delimiter)), [], ""
    while True:
        page = listed(there, f"&max-keys={size}{delimiter}{marker}")
        assert len(lines(page)) <= size
        found += lines(page)
        if not page["IsTruncated"]:
            break
        marker = f"&key-marker={page['NextKeyMarker']}"
        if "NextVersionIdMarker" in page:
            marker += f"&version-id-marker={page['NextVersionIdMarker']}"
    assert sorted(map(str, found)) == sorted(map(str, whole))


def test_a_key_marker_alone_goes_on_behind_the_key(there: Shop) -> None:
    put(there, b"1"), put(there, b"2")
    other = put(there, b"", "/photos/dog.jpg")
    assert [one["VersionId"] for one in listed(there, "&key-marker=cat.jpg")["Versions"]] == [other]


def test_a_bucket_without_versioning_lists_null_versions() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    put(there, b"1")
    assert [(one["VersionId"], one["IsLatest"]) for one in listed(there)["Versions"]] == [("null", True)]


@pytest.mark.parametrize(
    "query",
    [
        "version-id-marker=null",
        "key-marker=a&version-id-marker=7",
        "max-keys=-1",
        "encoding-type=base64",
    ],
)
def test_markers_that_are_none_are_refused(there: Shop, query: str) -> None:
    assert code(there.ask("GET", f"/photos?versions&{query}")) == "InvalidArgument"


ULID, UUID, LONG = "01G65Z755AFWAKHE12NY0CQ9FH", "0f1d4d0c-6b1a-4b7e-9a3f-3c1de4cf0d52", "x.Yz_0-" * 12


@pytest.mark.parametrize("foreign", [ULID, UUID, LONG, "9" * 1024])
def test_a_well_formed_id_of_another_store_is_one_that_is_not_there(there: Shop, foreign: str) -> None:
    put(there, b"1")
    source = {"x-amz-copy-source": f"{PHOTO}?versionId={foreign}"}
    for method, query in (("GET", ""), ("GET", "&tagging"), ("GET", "&acl"), ("DELETE", "&tagging")):
        assert code(there.ask(method, f"{PHOTO}?versionId={foreign}{query}")) == "NoSuchVersion", (method, query)
    assert there.ask("HEAD", f"{PHOTO}?versionId={foreign}").status == 404
    assert code(there.ask("PUT", "/photos/copy", headers=source)) == "NoSuchVersion"
    assert there.ask("DELETE", f"{PHOTO}?versionId={foreign}").status == 204
    listing = there.ask("GET", f"/photos?versions&key-marker=cat.jpg&version-id-marker={foreign}")
    assert listing.status == 200


@pytest.mark.parametrize("named", ["7", "invalid_versionId", "non_existing_version_id", "../../secret.txt", "9" * 1025])
def test_what_cannot_be_the_id_of_a_version_is_refused(there: Shop, named: str) -> None:
    put(there, b"1")
    for method in ("GET", "DELETE"):
        assert code(there.ask(method, f"{PHOTO}?versionId={named}")) == "InvalidArgument"


def test_several_versions_go_in_one_request(there: Shop) -> None:
    first, second = put(there, b"1"), put(there, b"2")
    marker = there.ask("DELETE", PHOTO).header("x-amz-version-id") or ""
    entries = "".join(
        f"<Object><Key>cat.jpg</Key><VersionId>{one}</VersionId></Object>" for one in (first, marker, "0" * 32, "7")
    )
    document = f"<Delete>{entries}<Object><Key>new</Key></Object></Delete>"
    found = read("DeleteObjects", there.ask("POST", "/photos?delete", document.encode()))
    told = {one.get("VersionId"): one for one in found["Deleted"]}
    assert (told[marker]["DeleteMarker"], told[marker]["DeleteMarkerVersionId"]) == (True, marker)
    assert told["0" * 32]["Key"] == told[first]["Key"] == "cat.jpg"
    assert told[None]["DeleteMarker"]
    assert [(one["Code"], one["VersionId"]) for one in found["Errors"]] == [("NoSuchVersion", "7")]
    assert [one["VersionId"] for one in listed(there)["Versions"]] == [second]


def test_a_copy_of_an_older_version_restores_it(there: Shop) -> None:
    first, second = put(there, b"1"), put(there, b"2")
    reply = there.ask("PUT", PHOTO, headers={"x-amz-copy-source": f"{PHOTO}?versionId={first}"})
    assert reply.header("x-amz-copy-source-version-id") == first
    assert reply.header("x-amz-version-id") not in (None, first, second)
    assert there.ask("GET", PHOTO).body == b"1"
    assert len(listed(there)["Versions"]) == 3


def test_a_copy_tells_of_the_null_version_where_versioning_was_set() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    put(there, b"0")
    source = {"x-amz-copy-source": PHOTO}
    assert there.ask("PUT", "/photos/copy", headers=source).header("x-amz-version-id") is None
    switch(there, "Suspended")
    assert there.ask("PUT", "/photos/copy", headers=source).header("x-amz-version-id") == "null"


def test_the_null_version_below_others_is_restored_too() -> None:
    there = shop()
    there.ask("PUT", "/photos")
    put(there, b"0")
    source = {"x-amz-copy-source": f"{PHOTO}?versionId=null"}
    assert there.ask("PUT", PHOTO, headers=source).status == 400
    switch(there, "Enabled")
    put(there, b"1")
    assert there.ask("PUT", PHOTO, headers=source).status == 200
    assert there.ask("GET", PHOTO).body == b"0"


def test_a_delete_marker_is_no_source_of_a_copy(there: Shop) -> None:
    put(there, b"1")
    marker = there.ask("DELETE", PHOTO).header("x-amz-version-id")
    for source, expected in ((PHOTO, "NoSuchKey"), (f"{PHOTO}?versionId={marker}", "InvalidRequest")):
        assert code(there.ask("PUT", "/photos/copy", headers={"x-amz-copy-source": source})) == expected


def test_a_part_is_copied_from_the_version_that_is_named(there: Shop) -> None:
    first = put(there, b"1")
    put(there, b"2")
    upload = read("CreateMultipartUpload", there.ask("POST", "/photos/joined?uploads"))["UploadId"]
    part = there.ask(
        "PUT",
        f"/photos/joined?uploadId={upload}&partNumber=1",
        headers={"x-amz-copy-source": f"{PHOTO}?versionId={first}"},
    )
    assert part.header("x-amz-copy-source-version-id") == first
    etag = read("UploadPartCopy", part)["CopyPartResult"]["ETag"].strip('"')
    parts = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    made = there.ask("POST", f"/photos/joined?uploadId={upload}", document)
    reply = there.ask("GET", "/photos/joined")
    assert reply.body == b"1"
    assert made.header("x-amz-version-id") == reply.header("x-amz-version-id") is not None
