"""The rig itself: a child dies exactly where it should, and a verb that tears is found out."""

import os
import sqlite3

import pytest

from tests.crash.children import ChildFailed, die, finish, in_child, start
from tests.crash.killing import watched


def write_and_rename(folder):
    descriptor = os.open(folder / "staged", os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, b"whole")
    os.close(descriptor)
    os.rename(folder / "staged", folder / "visible")


def found(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("steps", "left"),
    [(1, {"staged": b""}), (2, {"staged": b"wh"}), (3, {"staged": b"whole"}), (4, {"visible": b"whole"})],
)
def test_a_child_dies_right_after_its_last_step(steps, left, tmp_path):
    def work(acknowledge):
        watched().no_farther_than(steps)
        write_and_rename(tmp_path)
        acknowledge(None)

    end = finish(*start(work))
    assert (end.killed, end.acknowledged) == (True, False)
    assert found(tmp_path) == left


def test_a_child_with_steps_left_lives(tmp_path):
    def work(acknowledge):
        countdown = watched()
        countdown.no_farther_than(10)
        write_and_rename(tmp_path)
        acknowledge(countdown.left)

    end = finish(*start(work))
    assert (end.killed, end.acknowledged, end.result) == (False, True, 6)


@pytest.mark.parametrize("steps", [1, 2])
def test_of_sql_only_commits_are_steps_before_and_after(steps, tmp_path):
    def make():
        connection = sqlite3.connect(tmp_path / "db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (n)")

    def counted():
        return sqlite3.connect(tmp_path / "db").execute("SELECT count(*) FROM t").fetchone()[0]

    def work(acknowledge):
        countdown = watched()
        connection = sqlite3.connect(tmp_path / "db", isolation_level=None)
        countdown.no_farther_than(steps)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (1)")
        acknowledge(None)
        connection.execute("COMMIT")
        raise AssertionError("it should be dead")

    in_child(make)
    end = finish(*start(work))
    assert (end.killed, end.acknowledged) == (True, True)
    assert in_child(counted) == steps - 1


def test_writing_that_cannot_be_counted_is_an_error(tmp_path):
    def work(acknowledge):
        watched().no_farther_than(10)
        (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ChildFailed, match="cannot be counted"):
        finish(*start(work))


def test_what_a_child_raises_is_told():
    with pytest.raises(ChildFailed, match="ZeroDivisionError"):
        in_child(lambda: 1 / 0)


def test_a_child_that_dies_after_its_word_has_given_it():
    def work(acknowledge):
        acknowledge("word")
        die()

    end = finish(*start(work))
    assert (end.killed, end.acknowledged, end.result) == (True, True, "word")
