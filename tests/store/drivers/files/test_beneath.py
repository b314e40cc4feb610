"""Opening below a directory follows no symbolic link, by the system's own means and by walking."""

import errno
import os
from contextlib import contextmanager

import pytest

from gecko_tw.store.drivers.files import beneath


@contextmanager
def opened(folder):
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield root
    finally:
        os.close(root)


@pytest.fixture(params=["openat2", "walked"])
def opening(request):
    return beneath.open_beneath if request.param == "openat2" else beneath._walked


def test_a_file_is_opened_and_links_on_the_way_are_refused(opening, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"inside")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "a" / "leaf").symlink_to("b/file")
    with opened(tmp_path) as root:
        descriptor = opening(root, b"a/b/file", os.O_RDONLY)
        assert os.read(descriptor, 10) == b"inside"
        os.close(descriptor)
        for path in (b"link/b/file", b"a/leaf"):
            with pytest.raises(OSError) as refused:
                os.close(opening(root, path, os.O_RDONLY))
            assert refused.value.errno in beneath.ABSENT
        with pytest.raises(FileNotFoundError):
            opening(root, b"a/missing", os.O_RDONLY)


def test_only_a_regular_file_is_seen(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    with opened(tmp_path) as root:
        assert beneath.stat_beneath(root, b"file").st_size == 5
        for name in (b"folder", b"link", b"fifo", b"missing", b"file/below"):
            assert beneath.stat_beneath(root, name) is None


def test_directories_are_made_and_those_with_new_entries_told(tmp_path):
    (tmp_path / "a").mkdir()
    with opened(tmp_path) as root:
        descriptor, changed = beneath.make_directory(root, b"a/b/c")
        os.close(descriptor)
        assert changed == [b"a", b"a/b"]
        descriptor, changed = beneath.make_directory(root, b"a/b/c")
        os.close(descriptor)
        assert changed == []
        (tmp_path / "a" / "file").write_bytes(b"")
        with pytest.raises(OSError) as refused:
            beneath.make_directory(root, b"a/file/b")
        assert refused.value.errno == errno.ENOTDIR


def test_two_files_are_exchanged(tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2")
    with opened(tmp_path) as root:
        if beneath.exchange((root, b"one"), (root, b"two")):
            assert (tmp_path / "one").read_bytes() == b"2"
            with pytest.raises(FileNotFoundError):
                beneath.exchange((root, b"one"), (root, b"missing"))
