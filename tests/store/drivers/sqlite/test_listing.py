"""Pages of the catalog read as much as they have lines, whatever the bucket holds."""

import sqlite3
from itertools import takewhile
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.drivers.sqlite import connections, listing
from gecko_tw.store.drivers.sqlite.commits import Transaction
from gecko_tw.store.drivers.sqlite.rows import Address, Placement, put_version, row_of
from gecko_tw.store.records import DeleteMarker, Version
from gecko_tw.store.requests import ListRequest, successor
from gecko_tw.store.rules.listing import common_prefix


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("catalog") / "catalog.sqlite")
    connections.make(path)
    connection = connections.connect(path)
    yield connection
    connection.close()


def fill(connection: sqlite3.Connection, histories: dict[bytes, list[bool]]) -> None:
    """Keys with versions, the oldest first; False is a delete marker."""
    transaction = Transaction(connection, lambda *note: None, lambda slot: None)
    connection.execute("DELETE FROM version")
    for key, versions in histories.items():
        for seq, is_version in enumerate(versions, 1):
            name = f"v{seq}"
            record = (
                Version(version_id=name, etag="e", size=1, modified=seq, headers={"content-type": "a/b"})
                if is_version
                else DeleteMarker(version_id=name, modified=seq)
            )
            put_version(transaction, Address("b", 1, key), row_of(record, seq, Placement(False)))


KEYS = st.lists(st.sampled_from([b"a", b"b", b"/", b"\xff"]), max_size=4).map(b"".join)
HISTORIES = st.dictionaries(KEYS, st.lists(st.booleans(), min_size=1, max_size=3), max_size=8)


@given(HISTORIES, KEYS, KEYS, st.integers(1, 5))
def test_a_page_has_the_newest_versions_that_are_no_markers(connection, histories, prefix, start, limit):
    fill(connection, histories)
    expected = [key for key in sorted(histories) if histories[key][-1] and key.startswith(prefix) and key >= start]
    page = listing.objects(connection, listing.wanted_of(1, prefix, start, limit))
    assert [entry.key for entry in page] == expected[:limit]
    assert all(entry.version.etag == "e" for entry in page)


@given(HISTORIES, st.integers(1, 3))
def test_pages_of_versions_in_a_row_have_all_of_them_once(connection, histories, limit):
    fill(connection, histories)
    expected = [(key, f"v{seq}") for key in sorted(histories) for seq in range(len(histories[key]), 0, -1)]
    seen, start, after = [], b"", None
    while page := listing.versions(connection, listing.wanted_of(1, b"", start, limit, after)):
        seen += [(entry.key, entry.id) for entry in page]
        assert [entry.newest for entry in page] == [entry.id == f"v{len(histories[entry.key])}" for entry in page]
        start, after = page[-1].key, page[-1].id
    assert seen == expected


DELIMITERS = st.sampled_from([b"/", b"b", b"ab", b"/\xff", b"\xff"])


@given(HISTORIES, KEYS, KEYS, DELIMITERS, st.integers(1, 5), st.sampled_from(["objects", "versions"]))
def test_common_prefixes_are_those_of_the_lines_before_the_first_without(
    connection, histories, prefix, start, delimiter, limit, what
):
    fill(connection, histories)
    request = ListRequest(prefix=prefix, delimiter=delimiter)
    shown = [key for key in sorted(histories) if what == "versions" or histories[key][-1]]
    names = [common_prefix(key, prefix, delimiter) for key in shown if key.startswith(prefix) and key >= start]
    expected = list(dict.fromkeys(takewhile(lambda name: name is not None, names)))
    find = {"b": (1, None)}.__getitem__
    folders = listing.Folders(SimpleNamespace(mine=lambda: connection), find)  # type: ignore[arg-type]
    found = folders.common_prefixes("b", request, start, limit, what)
    assert found == ([] if successor(delimiter) is None else expected[:limit])


@pytest.mark.parametrize("query", listing._FOLDERS.values(), ids=listing._FOLDERS)
def test_each_common_prefix_is_one_step_down_the_tree(connection, query):
    plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", (1, b"", b"b", 0, b"/", b"0", 1000))
    steps = [row[3] for row in plan]
    assert sum(step.startswith("SEARCH") for step in steps) >= 2, steps
    assert not [step for step in steps if "B-TREE" in step or step.startswith(("SCAN version", "SCAN upload"))], steps


def test_a_storage_class_is_listed_as_it_was_stored_and_nowhere_else(connection):
    fill(connection, {})
    transaction = Transaction(connection, lambda *note: None, lambda slot: None)
    told = {"headers": {"x-amz-storage-class": "GLACIER"}}, {"metadata": {"x-amz-storage-class": "mine"}}, {}
    for number, more in enumerate(told):
        version = Version(version_id="v", etag="e", size=1, modified=1, **more)
        put_version(transaction, Address("b", 1, b"%d" % number), row_of(version, 1, Placement(False)))
    page = listing.objects(connection, listing.wanted_of(1, b"", b"", 10))
    assert [entry.storage_class for entry in page] == ["GLACIER", "", ""]


def test_a_page_steps_over_very_many_older_versions(connection):
    fill(connection, {b"a": [True] * 500, b"b": [True], b"c": [False] * 300 + [True]})
    page = listing.objects(connection, listing.wanted_of(1, b"", b"", 10))
    assert [entry.key for entry in page] == [b"a", b"b", b"c"]


@pytest.mark.parametrize("query", [listing._OBJECTS, listing._VERSIONS, listing._UPLOADS, listing._FINGERPRINTS])
def test_no_page_sorts_or_scans(connection, query):
    values = [1, b"a", 1, b"b"] if "?3" in query else [1, b"a", b"b", 1][: query.count("?")]
    plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", values)
    steps = [row[3] for row in plan]
    assert all(step.startswith(("SEARCH", "CORRELATED")) for step in steps), steps


def test_the_fingerprints_of_a_bucket_come_in_pages(connection, monkeypatch):
    monkeypatch.setattr(listing, "_FINGERPRINTS_AT_ONCE", 2)
    fill(connection, {key: [True, False] for key in (b"a", b"b", b"c", b"d", b"e")})
    assert [row[0] for row in listing.fingerprints(connection, 1)] == [b"a", b"b", b"c", b"d", b"e"]
