"""A copy that is made while a process has stopped itself is what the process leaves when it is killed at that step."""

import os
from collections.abc import Callable
from functools import partial
from itertools import count, groupby
from pathlib import Path
from typing import Any

import pytest

from tests.crash import test_versions
from tests.crash.children import ChildFailed, finish, in_child
from tests.crash.copies import copied, copies_of, seen_in
from tests.crash.deeds import DEEDS, PATH, Setup
from tests.crash.killing import Work, killed_after
from tests.crash.test_starting import first_start, made_and_seen
from tests.crash.test_steps import SETUPS, performed, seen

CASES = [
    ("xattr", "overwrite"),
    ("xattr", "remove the newest"),
    ("sidecar", "complete"),
    ("bytes only", "remove"),
    ("fsync", "complete"),
    ("pool of rows and files", "overwrite"),
    ("pool of files", "join"),
]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_what_is_killed_at_a_step_leaves_what_was_copied_at_it(kind, name, tmp_path):
    deed = {**DEEDS, **test_versions.DEEDS}[name]
    leave_the_same(
        lambda folder: performed(folder, SETUPS[kind], deed, PATH), partial(seen, setup=SETUPS[kind]), tmp_path
    )


def test_a_first_start_that_is_killed_leaves_what_was_copied(tmp_path):
    leave_the_same(partial(first_start, setup=Setup()), partial(made_and_seen, setup=Setup()), tmp_path)


def leave_the_same(work: Callable[[Path], Work], see: Callable[[Path], Any], tmp_path: Path) -> None:
    """Kills work after each of its steps, and compares what is seen then with what is seen of the copies.

    Neighbours that are alike count once: whether a directory must be made for a blob is left to chance, which gives it its name.
    """
    copies = copies_of(tmp_path / "whole", work(tmp_path / "whole"))
    killed = []
    for steps in count(1):
        folder = tmp_path / f"killed after {steps}"
        folder.mkdir()
        end = finish(*killed_after(steps, work(folder)))
        assert end.killed
        killed.append(in_child(see, folder))
        if end.acknowledged:
            break
    left = seen_in(copies[1:], tmp_path / "copies", see)
    assert [state for state, _ in groupby(killed)] == [state for state, _ in groupby(left)]


def write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, data)
    os.close(descriptor)


def test_there_is_a_copy_before_the_first_step_after_each_and_of_the_end(tmp_path):
    def work(begin: Callable[[], None], end: Callable[[], None]) -> None:
        write(tmp_path / "whole" / "before", b"")
        begin()
        write(tmp_path / "whole" / "file", b"body")
        os.unlink(tmp_path / "whole" / "before")
        end()

    def look(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    before = {"before": b""}
    steps = [before, {**before, "file": b""}, {**before, "file": b"bo"}, {**before, "file": b"body"}]
    end = {"file": b"body"}
    assert seen_in(copies_of(tmp_path / "whole", work), tmp_path / "left", look) == [*steps, end, end]


def test_a_copy_has_all_that_a_file_has(tmp_path):
    folder = tmp_path / "whole"
    (folder / "a" / "b").mkdir(parents=True)
    write(folder / "a" / "file", b"\0body\0\0")
    os.setxattr(folder / "a" / "file", "user.name", b"value")
    os.chmod(folder / "a" / "file", 0o640)
    os.link(folder / "a" / "file", folder / "a" / "b" / "same")
    os.utime(folder / "a" / "file", ns=(1, 2))
    os.utime(folder / "a", ns=(3, 4))
    copied(folder).write(tmp_path / "copy")

    def told(top: Path) -> dict[str, Any]:
        return {
            str(path.relative_to(top)): (path.stat().st_mode, path.stat().st_mtime_ns, path.stat().st_nlink)
            for path in top.rglob("*")
        }

    assert told(tmp_path / "copy") == told(folder)
    assert (tmp_path / "copy" / "a" / "file").read_bytes() == b"\0body\0\0"
    assert os.getxattr(tmp_path / "copy" / "a" / "file", "user.name") == b"value"
    assert os.path.samefile(tmp_path / "copy" / "a" / "file", tmp_path / "copy" / "a" / "b" / "same")


def test_a_copy_looks_as_if_its_process_was_killed(tmp_path):
    """And not as if the power had failed, after which more is forgiven."""

    def work(begin: Callable[[], None], end: Callable[[], None]) -> None:
        with Setup().shop(tmp_path / "whole"):
            begin()
            end()

    def was_killed(folder: Path) -> bool:
        with Setup().shop(folder) as shop:
            return shop.driver._disk.state.was_killed and not shop.driver._disk.state.power_failed

    assert seen_in(copies_of(tmp_path / "whole", work), tmp_path / "left", was_killed) == [True, True]


def test_what_is_raised_while_a_copy_is_looked_at_says_after_which_step(tmp_path):
    def work(begin: Callable[[], None], end: Callable[[], None]) -> None:
        begin()
        end()

    with pytest.raises(ChildFailed, match="after step 0"):
        seen_in(copies_of(tmp_path / "whole", work), tmp_path / "left", lambda folder: 1 / 0)
