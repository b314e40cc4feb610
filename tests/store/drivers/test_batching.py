"""Verbs in one thread pause for what is done for all of them at once."""

import gc
import os
import threading
import weakref

import pytest

from gecko_tw.store.drivers.batching import flush, flush_all, run_batch, share
from tests.patience import PATIENCE


def test_every_verb_goes_on_when_what_all_wanted_was_done():
    done = []

    def verb(*wishes):
        def run():
            for wish in wishes:
                assert share(wish)
                assert wish in done[-1]
            return len(wishes)

        return run

    results = run_batch([verb("a"), verb(), verb("b", "c"), verb("d", "e", "f")], done.append)
    assert results == [1, 0, 2, 3]
    assert done == [["a", "b", "d"], ["c", "e"], ["f"]]


def test_who_is_alone_is_told_so():
    assert not share("wish")


def test_what_another_thread_wants_is_no_wish_of_companions():
    seen = []

    def verb():
        thread = threading.Thread(target=lambda: seen.append(share("elsewhere")))
        thread.start()
        thread.join(PATIENCE)
        return share("here")

    done = []
    assert run_batch([verb, verb], done.append) == [True, True]
    assert (seen, done) == ([False, False], [["here", "here"]])


def test_a_verb_without_companions_waits_for_nobody():
    assert run_batch([lambda: share("alone")], pytest.fail) == [False]


def test_a_verb_may_gather_others_itself():
    done, inner = [], []

    def verb():
        found = run_batch([lambda: share("inner")] * 2, inner.append)
        return found, share("outer")

    assert run_batch([verb, verb], done.append) == [([True, True], True)] * 2
    assert (inner, done) == ([["inner", "inner"]] * 2, [["outer", "outer"]])


class Body:
    """Something large."""


def in_a_thread(do):
    """Calls where no batch member is idle yet."""
    failures = []

    def work():
        try:
            do()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE)
    assert failures == []


def test_what_a_verb_held_is_let_go_when_all_are_done():
    in_a_thread(_bodies_are_let_go)


def _bodies_are_let_go():
    gone = []

    def verb(wishes):
        body = Body()
        gone.append(weakref.ref(body))

        def run():
            for wish in range(wishes):
                share((wish, body))
            return body

        return run

    gc.disable()
    try:
        for wishes in ([0, 1], [2, 0, 1]):
            verbs, done = [verb(number) for number in wishes], []
            assert all(isinstance(body, Body) for body in run_batch(verbs, done.append))
            verbs.clear(), done.clear()
        assert [one() for one in gone] == [None] * 5
    finally:
        gc.enable()


def test_a_verb_that_raises_against_the_rules_spoils_nobody_s_next_turn():
    def broken():
        raise ValueError("against the rules")

    for _ in range(3):
        with pytest.raises(ValueError, match="against the rules"):
            run_batch([lambda: 1, broken], list)
        assert run_batch([lambda: 1, lambda: share("wish"), lambda: 3], list) == [1, True, 3]


@pytest.fixture
def files(tmp_path):
    descriptors = [os.open(tmp_path / name, os.O_CREAT | os.O_RDWR) for name in "abc"]
    yield descriptors
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.fixture
def flushed(monkeypatch, files):
    """The files that were flushed; the second one cannot be."""
    flushed, real = [], os.fsync

    def fsync(descriptor):
        if descriptor == files[1]:
            raise OSError(5, "Input/output error")
        flushed.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return flushed


def test_files_of_companions_are_flushed_together_and_only_its_owner_hears_of_a_failure(files, flushed):
    rounds = []

    def verb(descriptor):
        def run():
            os.write(descriptor, b"x")
            try:
                flush(descriptor)
            except OSError as error:
                return error.errno
            return descriptor in flushed

        return run

    def do(wishes):
        rounds.append(len(wishes))
        flush_all(wishes)

    assert run_batch([verb(one) for one in files], do) == [True, 5, True]
    assert (rounds, flushed) == ([3], [files[0], files[2]])


def test_a_file_is_flushed_at_once_by_who_is_alone(files, flushed):
    flush(files[0])
    assert flushed == [files[0]]
    with pytest.raises(OSError, match="Input/output"):
        flush(files[1])
