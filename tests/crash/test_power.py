"""The simulated disk itself: what was flushed is there, what was not may be lost, and nothing goes unrecorded."""

import os
import sqlite3
from contextlib import closing
from functools import partial
from itertools import product

import pytest

from gecko_tw.store.drivers.files import disk
from gecko_tw.store.drivers.files.beneath import exchange
from tests.crash.children import ChildFailed, in_child
from tests.crash.disks import Cut, after_power_cut
from tests.crash.fates import PAGE, Chance, Fate, Short, Zeros
from tests.crash.power import recorder

END = 10**9
BODY = b"1" * PAGE + b"2" * PAGE + b"3" * 100
FATES = (Fate, Zeros, Short)


def recorded(folder, *works):
    """What the last of the works changes."""
    folder.mkdir(exist_ok=True)

    def work():
        made = recorder()
        for one in works:
            made.begin(folder)
            one(folder)
        return made.end()

    return in_child(work)


def found(recording, folder, **cut):
    """What is found after a power cut: the bytes of each file, by its name. Everything survives unless something else is said."""
    after_power_cut(recording, Cut(**{"point": END, "names": END, "commits": END} | cut)).write(folder, {})
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(path, data, *, room=0, flushed=False):
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    if room:
        os.posix_fallocate(descriptor, 0, room)
    os.write(descriptor, data)
    if flushed:
        os.fsync(descriptor)
    os.close(descriptor)


def write_and_rename(folder, **how):
    write(folder / "staged", BODY, **how)
    os.rename(folder / "staged", folder / "visible")


def flush(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize(("names", "left"), [(0, set()), (1, {"staged"}), (END, {"visible"})])
def test_names_are_there_up_to_any_of_their_changes(names, left, tmp_path):
    recording = recorded(tmp_path / "first", write_and_rename)
    assert set(found(recording, tmp_path / "found", names=names)) == left


def test_what_is_done_after_the_cut_is_nowhere(tmp_path):
    recording = recorded(tmp_path / "first", write_and_rename)
    assert found(recording, tmp_path / "found", point=1) == {"staged": b""}


@pytest.mark.parametrize(("fate", "left"), [(Fate, BODY), (Zeros, bytes(len(BODY))), (Short, b"")])
def test_bytes_are_lost_though_their_name_is_there(fate, left, tmp_path):
    recording = recorded(tmp_path / "first", write_and_rename)
    assert found(recording, tmp_path / "found", fate=fate) == {"visible": left}


def test_a_file_that_was_given_room_is_as_long_as_that(tmp_path):
    recording = recorded(tmp_path / "first", partial(write_and_rename, room=len(BODY)))
    assert found(recording, tmp_path / "found", fate=Short)["visible"].startswith(BODY[:PAGE])
    assert found(recording, tmp_path / "zeros", fate=Zeros) == {"visible": bytes(len(BODY))}


def test_each_page_is_lost_by_itself(tmp_path):
    recording = recorded(tmp_path / "first", partial(write_and_rename, room=len(BODY)))
    pages = {
        tuple(found(recording, tmp_path / str(seed), fate=partial(Chance, seed))["visible"][::PAGE])
        for seed in range(50)
    }
    assert pages == set(product(*((0, page) for page in BODY[::PAGE])))


def test_a_flushed_file_is_whole_and_has_its_name_but_no_later_one(tmp_path):
    recording = recorded(tmp_path / "first", partial(write_and_rename, flushed=True))
    for fate in FATES:
        assert found(recording, tmp_path / fate.__name__, names=0, commits=0, fate=fate) == {"staged": BODY}


def test_a_flushed_directory_has_its_names_but_not_the_bytes_of_its_files(tmp_path):
    recording = recorded(tmp_path / "first", lambda folder: (write_and_rename(folder), flush(folder)))
    assert found(recording, tmp_path / "found", names=0, fate=Short) == {"visible": b""}


def test_a_flush_of_another_directory_makes_older_names_durable_and_no_younger_ones(tmp_path):
    def make(folder):
        write(folder / "older", b"")
        os.mkdir(folder / "other")
        os.rename(folder / "older", folder / "younger")
        flush(folder / "other")

    recording = recorded(tmp_path / "first", make)
    assert set(found(recording, tmp_path / "found", names=0)) == {"older"}


def test_after_a_flush_of_everything_everything_is_there(tmp_path):
    def make(folder):
        write_and_rename(folder)
        disk.sync_file_system(-1)

    recording = recorded(tmp_path / "first", make)
    for fate in FATES:
        assert found(recording, tmp_path / fate.__name__, names=0, commits=0, fate=fate) == {"visible": BODY}


def test_what_was_there_before_is_found_again_when_its_removal_is_lost(tmp_path):
    recording = recorded(tmp_path / "first", write_and_rename, lambda folder: os.unlink(folder / "visible"))
    assert found(recording, tmp_path / "found", names=0) == {"visible": BODY}
    assert found(recording, tmp_path / "gone") == {}


def test_a_page_that_is_written_over_has_any_of_its_contents(tmp_path):
    def again(folder):
        write(folder / "visible", b"second")
        write(folder / "visible", b"third!")

    recording = recorded(tmp_path / "first", lambda folder: write(folder / "visible", b"first!"), again)
    left = {found(recording, tmp_path / str(seed), fate=partial(Chance, seed))["visible"] for seed in range(30)}
    assert left == {b"first!", b"second", b"third!"}


def test_files_that_are_exchanged_are_never_one_without_the_other(tmp_path):
    def swap(folder):
        write(folder / "new", b"new")
        root = os.open(folder, os.O_RDONLY)
        assert exchange((root, b"new"), (root, b"old"))
        os.close(root)

    recording = recorded(tmp_path / "first", lambda folder: write(folder / "old", b"old"), swap)
    states = [found(recording, tmp_path / str(names), names=names) for names in range(len(recording.changes) + 1)]
    assert states[0] == {"old": b"old"}
    assert states[-1] == {"old": b"new", "new": b"old"}
    assert all(state in (states[0], {"old": b"old", "new": b"new"}, states[-1]) for state in states)


def test_two_names_of_a_file_are_still_two_names_of_one(tmp_path):
    recording = recorded(tmp_path / "first", write_and_rename, lambda f: os.link(f / "visible", f / "second"))
    assert set(found(recording, tmp_path / "found")) == {"visible", "second"}
    assert os.path.samefile(tmp_path / "found" / "visible", tmp_path / "found" / "second")


def test_attributes_and_times_are_changes_like_those_of_names(tmp_path):
    def describe(folder):
        os.setxattr(folder / "visible", "user.geckos3", b"1")
        os.utime(folder / "visible", ns=(1, 10**18))
        os.removexattr(folder / "visible", "user.geckos3")

    recording = recorded(tmp_path / "first", write_and_rename, describe)
    told = []
    for names in range(4):
        found(recording, tmp_path / str(names), names=names)
        path = tmp_path / str(names) / "visible"
        told.append((os.listxattr(path), path.stat().st_mtime_ns == 10**18))
    assert told == [([], False), (["user.geckos3"], False), (["user.geckos3"], True), ([], True)]


def test_bytes_that_the_kernel_copies_are_recorded(tmp_path):
    def copy(folder):
        source, target = os.open(folder / "visible", os.O_RDONLY), os.open(folder / "copy", os.O_CREAT | os.O_WRONLY)
        while os.copy_file_range(source, target, 1000):
            pass
        os.close(source)
        os.close(target)

    recording = recorded(tmp_path / "first", write_and_rename, copy)
    assert found(recording, tmp_path / "found") == {"visible": BODY, "copy": BODY}


def transact(folder, *, synchronous="NORMAL"):
    os.makedirs(folder / ".geckos3")
    connection = sqlite3.connect(folder / ".geckos3" / "catalog.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("CREATE TABLE t (n)")
    for number in range(3):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        connection.execute("COMMIT")


def numbers(folder):
    with closing(sqlite3.connect(folder / ".geckos3" / "catalog.sqlite")) as connection:
        return [number for (number,) in connection.execute("SELECT n FROM t")]


def test_transactions_are_there_up_to_any_of_them(tmp_path):
    recording = recorded(tmp_path / "first", transact)
    for lost, left in enumerate(([0, 1, 2], [0, 1], [0], [])):
        after_power_cut(recording, Cut(END, END, len(recording.changes) - lost)).write(tmp_path / str(lost), {})
        assert numbers(tmp_path / str(lost)) == left


def test_a_transaction_that_waits_for_the_disk_is_there(tmp_path):
    recording = recorded(tmp_path / "first", partial(transact, synchronous="FULL"))
    after_power_cut(recording, Cut(END, END, 0)).write(tmp_path / "found", {})
    assert numbers(tmp_path / "found") == [0, 1, 2]


def real_unlink_behind(folder, real=os.unlink):
    write_and_rename(folder)
    real(folder / "visible")


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda folder: (folder / "file").write_bytes(b""), "not recorded"),
        (real_unlink_behind, "not recorded: {b'/visible'}"),
    ],
)
def test_a_change_that_is_not_recorded_is_an_error(work, message, tmp_path):
    with pytest.raises(ChildFailed, match=message):
        recorded(tmp_path / "first", work)
