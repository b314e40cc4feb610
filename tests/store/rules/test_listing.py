"""Pages of keys and common prefixes, held against folding the whole list at once."""

from itertools import takewhile

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
        self.prefix = prefix
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

    def leaping(self, delimiter):
        """Steps over common prefixes in this source, as a catalog that can does."""

        def leap(start, limit):
            names = [common_prefix(key, self.prefix, delimiter) for key, _ in self.lines if key >= start]
            return list(dict.fromkeys(takewhile(lambda name: name is not None, names)))[:limit]

        return leap


def folded(source, request, leaps):
    return fold(source, request, source.leaping(request.delimiter) if leaps else None)


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


@given(keys=KEYS, prefix=PREFIXES, delimiter=DELIMITERS, limit=st.integers(1, 6), leaps=st.booleans())
def test_pages_together_are_the_whole_list_without_repeats(keys, prefix, delimiter, limit, leaps):
    lines = [(key, "null") for key in keys]
    expected = everything(lines, prefix, delimiter)
    request, pages = ListRequest(prefix=prefix, delimiter=delimiter, limit=limit), []
    while True:
        page = folded(Source(lines, prefix), request, leaps)
        pages.append(content(page))
        if not page.truncated:
            break
        assert len(pages[-1]) == limit
        assert page.next_key == pages[-1][-1][0]
        request = evolve(request, after=page.next_key)
    assert [line for page in pages for line in page] == expected


@given(
    keys=KEYS,
    prefix=PREFIXES,
    delimiter=DELIMITERS,
    limit=st.integers(1, 6),
    ids=st.integers(1, 4),
    leaps=st.booleans(),
)
def test_pages_of_versions_go_on_inside_a_key(keys, prefix, delimiter, limit, ids, leaps):
    lines = [(key, f"v{number}") for key in keys for number in range(ids)]
    request, found = ListRequest(prefix=prefix, delimiter=delimiter, limit=limit), []
    while True:
        page = folded(Source(lines, prefix), request, leaps)
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
    """Whether ``start`` is, or is folded into, the common prefix that ``key`` is folded into: then all of that was listed before."""
    shared = common_prefix(key, prefix, delimiter)
    return shared is not None and start.startswith(shared)


@given(keys=KEYS, prefix=PREFIXES, delimiter=DELIMITERS, marker=st.sampled_from([b"a/b", b"a/", b"/b", b"a/b/b"]))
def test_an_id_of_a_version_that_is_folded_goes_on_behind_the_folder_too(keys, prefix, delimiter, marker):
    lines = [(key, name) for key in {*keys, marker} for name in ("v0", "v1")]
    page = fold(Source(lines, prefix), ListRequest(prefix=prefix, delimiter=delimiter, after=marker, after_id="v0"))
    behind = [line for line in lines if line > (marker, "v0") and not _inside(marker, line[0], prefix, delimiter)]
    assert content(page) == everything(behind, prefix, delimiter)


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


FOLDERS = st.lists(
    st.tuples(st.sampled_from(b"abcdefghij"), st.integers(0, 40)), max_size=10, unique_by=lambda one: one[0]
)


@given(folders=FOLDERS, limit=st.integers(1, 12), leaps=st.booleans())
def test_folders_of_any_depth_between_plain_keys_are_all_found(folders, limit, leaps):
    lines = [(b"%c/%02d" % (name, number), "null") for name, size in folders for number in range(size)]
    lines += [(b"%c" % name, "null") for name, size in folders if size % 3 == 0]
    request, found = ListRequest(delimiter=b"/", limit=limit), []
    while True:
        page = folded(Source(lines, b""), request, leaps)
        found += content(page)
        if not page.truncated:
            break
        request = evolve(request, after=page.next_key)
    assert found == everything(lines, b"", b"/")


def test_who_can_leap_reads_next_to_nothing_of_deep_folders():
    lines = [(b"%04d/%06d" % (folder, number), "null") for folder in range(200) for number in range(100)]
    source = Source(lines, b"")
    page = folded(source, ListRequest(delimiter=b"/", limit=150), True)
    assert page.prefixes == tuple(b"%04d/" % folder for folder in range(150))
    assert (page.truncated, page.next_key) == (True, b"0149/")
    assert source.fetched <= 100


def test_shallow_folders_are_read_as_they_come():
    leaps = []
    lines = [(b"%04d/%06d" % (folder, 0), "null") for folder in range(1000)]
    page = fold(Source(lines, b""), ListRequest(delimiter=b"/"), lambda start, limit: leaps.append(start) or [])
    assert (len(page.prefixes), page.truncated, leaps) == (1000, False, [])


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
