"""Pages of keys and common prefixes, held against folding the whole list at once."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.requests import Listed, ListRequest, Page
from gecko_tw.store.rules.listing import common_prefix, fold, successor

KEYS = st.sets(
    st.lists(st.sampled_from([b"a", b"b", b"/", b"//", b"\xff"]), min_size=1, max_size=5).map(b"".join), max_size=25
)
PREFIXES = st.sampled_from([b"", b"a", b"a/", b"/", b"b", b"a/b", b"\xff"])
DELIMITERS = st.sampled_from([b"", b"/", b"b", b"a/", b"\xff"])


class Source:
    """A sorted list of lines; counts how many of them were asked for."""

    def __init__(self, lines, prefix):
        self.lines = [line for line in sorted(lines) if line[0].startswith(prefix)]
        self.fetched = 0

    def __call__(self, start, limit, after_id):
        at = 0
        while at < len(self.lines) and self.lines[at][0] < start:
            at += 1
        if after_id is not None and any(line == (start, after_id) for line in self.lines):
            at = self.lines.index((start, after_id)) + 1
        found = [Listed(key=key, id=name, modified=0) for key, name in self.lines[at : at + limit]]
        self.fetched += len(found)
        return found


def everything(lines, prefix, delimiter):
    """What all pages together must hold, in order: keys with their ids, and common prefixes with None."""
    folded = []
    for key, name in sorted(lines):
        if key.startswith(prefix):
            shared = common_prefix(key, prefix, delimiter)
            entry = (key, name) if shared is None else (shared, None)
            if shared is None or entry not in folded:
                folded.append(entry)
    return folded


def content(page):
    lines = [(entry.key, entry.id) for entry in page.entries] + [(prefix, None) for prefix in page.prefixes]
    return sorted(lines, key=lambda line: (line[0], line[1] or ""))


@given(keys=KEYS, prefix=PREFIXES, delimiter=DELIMITERS, limit=st.integers(1, 6))
def test_pages_together_are_the_whole_list_without_repeats(keys, prefix, delimiter, limit):
    lines = [(key, "null") for key in keys]
    expected = everything(lines, prefix, delimiter)
    request, pages = ListRequest(prefix=prefix, delimiter=delimiter, limit=limit), []
    while True:
        page = fold(Source(lines, prefix), request)
        pages.append(content(page))
        if not page.truncated:
            break
        assert len(pages[-1]) == limit
        assert page.next_key == pages[-1][-1][0]
        request = evolve(request, after=page.next_key)
    assert [line for page in pages for line in page] == expected


@given(keys=KEYS, prefix=PREFIXES, delimiter=DELIMITERS, limit=st.integers(1, 6), ids=st.integers(1, 4))
def test_pages_of_versions_go_on_inside_a_key(keys, prefix, delimiter, limit, ids):
    lines = [(key, f"v{number}") for key in keys for number in range(ids)]
    request, found = ListRequest(prefix=prefix, delimiter=delimiter, limit=limit), []
    while True:
        page = fold(Source(lines, prefix), request)
        found += content(page)
        if not page.truncated:
            break
        request = evolve(request, after=page.next_key, after_id=page.next_id)
    assert found == everything(lines, prefix, delimiter)


@given(keys=KEYS, prefix=PREFIXES, delimiter=DELIMITERS, after=KEYS)
def test_a_page_begins_behind_any_key(keys, prefix, delimiter, after):
    start = min(after, default=b"")
    page = fold(
        Source([(key, "null") for key in keys], prefix), ListRequest(prefix=prefix, delimiter=delimiter, after=start)
    )
    behind = [(key, "null") for key in keys if key > start and not _inside(start, key, prefix, delimiter)]
    assert content(page) == everything(behind, prefix, delimiter)


def _inside(start, key, prefix, delimiter):
    """Whether ``start`` is itself the common prefix that ``key`` is folded into: then all of that was listed before."""
    return common_prefix(key, prefix, delimiter) == start


def test_a_page_of_nothing_is_not_truncated():
    source = Source([(b"a", "null")], b"")
    assert fold(source, ListRequest(limit=0)) == Page()
    assert source.fetched == 0


def test_a_common_prefix_is_stepped_over_however_much_is_in_it():
    lines = [(b"%d/%06d" % (folder, number), "null") for folder in range(5) for number in range(10_000)]
    source = Source(lines, b"")
    page = fold(source, ListRequest(delimiter=b"/", limit=3))
    assert page.prefixes == (b"0/", b"1/", b"2/")
    assert page.truncated
    assert source.fetched < 200


def test_a_page_reads_no_more_lines_than_it_shows_and_one():
    source = Source([(b"%06d" % number, "null") for number in range(10_000)], b"")
    page = fold(source, ListRequest(limit=1000))
    assert len(page.entries) == 1000
    assert source.fetched == 1001


@given(prefix=st.binary(max_size=4), more=st.binary(max_size=4), other=st.binary(max_size=8))
def test_the_successor_is_behind_everything_with_the_prefix(prefix, more, other):
    behind = successor(prefix)
    if behind is None:
        assert set(prefix) <= {0xFF}
    else:
        assert prefix + more < behind
        assert other >= behind or other < prefix or other.startswith(prefix)
