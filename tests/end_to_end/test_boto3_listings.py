"""boto3's listings: pages, delimiters and markers, against what a list of the keys says."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.end_to_end.clients import S5cmd
from tests.end_to_end.place import Place, refusal

KEYS = [
    *(f"photos/2023/{number:02}.jpg" for number in range(12)),
    *(f"photos/2024/a b+{number}.jpg" for number in range(5)),
    "photos",
    "photos/",
    "photos/readme",
    "photos-old/x",
    "videos/ünï/1",
    "videos/ünï/2",
    "z",
]


def folded(keys: Iterable[str], prefix: str, delimiter: str) -> tuple[list[str], list[str]]:
    """What a listing of these keys must hold: keys and common prefixes."""
    entries, prefixes = [], set()
    for key in sorted((key for key in keys if key.startswith(prefix)), key=str.encode):
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        if found:
            prefixes.add(prefix + head + found)
        else:
            entries.append(key)
    return entries, sorted(prefixes, key=str.encode)


@pytest.fixture(scope="module")
def filled(plain: Place) -> str:
    """A bucket with KEYS."""
    bucket = plain.new_bucket()
    for key in KEYS:
        plain.put(bucket, key, key.encode())
    return bucket


@pytest.mark.parametrize("version", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("prefix", "delimiter"),
    [("", ""), ("", "/"), ("photos", "/"), ("photos/", "/"), ("photos/2", "/20"), ("videos/", "ü"), ("no", "/")],
)
def test_pages_hold_every_key_and_common_prefix_once(plain, filled, version, size, prefix, delimiter):
    asked = {"Bucket": filled, "Prefix": prefix, "Delimiter": delimiter, "PaginationConfig": {"PageSize": size}}
    pages = list(plain.s3.get_paginator(version).paginate(**asked))
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    prefixes = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ())]
    assert (keys, prefixes) == folded(KEYS, prefix, delimiter)
    assert all(len(page.get("Contents", ())) + len(page.get("CommonPrefixes", ())) <= size for page in pages)
    if version == "list_objects_v2":
        assert sum(page["KeyCount"] for page in pages) == len(keys) + len(prefixes)


def test_a_listing_starts_behind_a_key_and_may_hold_nothing(plain: Place, filled: str):
    s3, in_order = plain.s3, sorted(KEYS, key=str.encode)
    after = s3.list_objects_v2(Bucket=filled, StartAfter="photos/readme")
    assert [entry["Key"] for entry in after["Contents"]] == in_order[in_order.index("photos/readme") + 1 :]
    marked = s3.list_objects(Bucket=filled, Marker="photos/readme")
    assert [entry["Key"] for entry in marked["Contents"]] == in_order[in_order.index("photos/readme") + 1 :]
    none = s3.list_objects_v2(Bucket=filled, MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"], none.get("Contents", [])) == (0, False, [])
    first = s3.list_objects_v2(Bucket=filled, MaxKeys=1, FetchOwner=True)["Contents"][0]
    assert (first["Key"], first["Size"], first["StorageClass"]) == ("photos", 6, "STANDARD")
    assert first["ETag"] == s3.head_object(Bucket=filled, Key="photos")["ETag"]
    assert "Owner" in first
    assert refusal(s3.list_objects_v2, Bucket=filled, ContinuationToken="no such token")[1] == 400
    assert refusal(s3.list_objects_v2, Bucket=filled, MaxKeys=-1) == ("InvalidArgument", 400)


def test_a_thousand_keys_are_listed_in_pages_and_deleted_in_one_request(plain: Place, tmp_path: Path):
    bucket, keys = plain.new_bucket(), [f"{number % 7}/{number:04}" for number in range(1005)]
    for key in keys:
        path = tmp_path / "many" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key)
    S5cmd(plain.daemon, tmp_path).run("cp", f"{tmp_path}/many/", f"s3://{bucket}/")
    pages = [page.get("Contents", []) for page in plain.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)]
    assert [len(page) for page in pages] == [1000, 5]
    assert [entry["Key"] for page in pages for entry in page] == sorted(keys)
    assert plain.keys(bucket, PaginationConfig={"PageSize": 99}) == sorted(keys)
    batch = [{"Key": entry["Key"]} for entry in pages[0]]
    done = plain.s3.delete_objects(Bucket=bucket, Delete={"Objects": batch})
    assert len(done["Deleted"]) == 1000
    assert plain.keys(bucket) == sorted(keys)[1000:]
