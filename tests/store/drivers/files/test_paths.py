"""Keys and paths: what is a path is that path and no other, and none leads out of its bucket."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.store.drivers.files.paths import file_of, fits_sidecar, has_path, is_safe_bucket_name
from gecko_tw.store.drivers.sqlite.blobnames import is_pooled, is_visible, visible_name, visible_parts
from tests.contract.acts import KEYS


@given(KEYS)
def test_a_path_never_leaves_its_bucket(key):
    if has_path(key):
        path = file_of("photos", key)
        assert os.path.normpath(path) == path
        assert path.startswith(b"photos/")
        assert b"\0" not in path


@given(KEYS, KEYS)
def test_two_keys_never_share_a_path(one, other):
    if has_path(one) and has_path(other) and one != other:
        assert file_of("photos", one) != file_of("photos", other)


@given(KEYS, KEYS)
def test_two_keys_never_share_a_path_where_case_is_folded(one, other):
    if has_path(one, True) and has_path(other, True) and one != other:
        assert one.decode().casefold() != other.decode().casefold()


@pytest.mark.parametrize(
    "key",
    [
        *(b"", b"/", b"a/", b"/a", b"a//b", b".", b"..", b"a/../b", b"a/./b", b"a\x00b", b"a\nb", b"\x7f"),
        *(b".geckos3", b".geckos3/catalog.sqlite", b"a/.geckos3/b", b".geckos3-tmp/x", b"a/.geckos3-multipart/y"),
        *(b"a.metadata.json", b"a/b.metadata.json", b".DS_Store", b"a/Thumbs.db", b".metadata-tmp-123"),
        *(b"x" * 256, b"a/" + b"x" * 256, b"x/" * 512 + b"x"),
    ],
)
def test_what_no_path_can_hold_or_somebody_else_uses_is_no_path(key):
    assert not has_path(key)


@pytest.mark.parametrize(
    "key", [b"a", b"a/b/c.jpg", b"...", b"a b", b"\xff", "é".encode(), b"A.metadata.jsonx", b"x" * 255]
)
def test_ordinary_keys_are_paths(key):
    assert has_path(key)


def test_a_long_name_leaves_no_room_for_a_sidecar():
    assert fits_sidecar(b"a/" + b"x" * 241)
    assert not fits_sidecar(b"a/" + b"x" * 242)


@given(st.integers(-(2**62), 2**62), KEYS)
def test_the_name_of_a_visible_file_says_what_it_was_made_of(mtime, key):
    name = visible_name(mtime, 5, "photos", key)
    assert visible_parts(name) == (mtime, 5, "photos", key)
    assert is_visible(name)
    assert not is_pooled(name)


def test_directories_outside_or_of_ours_are_never_made_for_a_bucket():
    assert not any(map(is_safe_bucket_name, ["", ".", "..", ".geckos3", "a/b", "a\0", "é", "x" * 256]))
