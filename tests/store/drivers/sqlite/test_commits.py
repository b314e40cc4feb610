"""Group commit: steps share a transaction, and each one's failure is its own."""

import errno
import os
import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gecko_tw.store.drivers.sqlite import connections, undo
from gecko_tw.store.drivers.sqlite.commits import LARGEST_BATCH, Commits
from gecko_tw.store.drivers.sqlite.connections import Connections
from gecko_tw.store.drivers.sqlite.journal import Journal
from gecko_tw.store.refusals import InsufficientStorage
from tests.patience import PATIENCE


class Bench:
    """Commits over a fresh catalog; counts commits and keeps what recovery was asked for."""

    def __init__(self, folder):
        path = str(folder / "catalog.sqlite")
        connections.make(path)
        self.connections = Connections(path, False)
        flags = os.O_RDWR | os.O_CREAT
        self.descriptors = [os.open(folder / "lock", flags) for _ in range(2)]
        self.journal = Journal(*self.descriptors)
        self.synced, self.committed, self.recovered, self.hopeless = [], [], [], set()
        self.commits = Commits(self.connections, self.journal, self.synced.append, self.count, self.recover)

    def count(self, sequence, steps):
        self.committed.append((sequence, steps))

    def recover(self, transaction, notes):
        self.recovered.append(notes)
        return [note for note in notes if note.key in self.hopeless]

    def names(self):
        return [name for (name,) in self.connections.mine().execute("SELECT name FROM bucket ORDER BY name")]

    def close(self):
        self.connections.close()
        self.journal.close()
        for descriptor in self.descriptors:
            os.close(descriptor)


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def adding(name):
    def step(transaction):
        transaction.touched.add(name.encode())
        transaction.execute("INSERT INTO bucket (name, record) VALUES (?, '')", (name,))
        return name

    return step


def together(bench, steps):
    """Runs steps so that all but the first wait and share one transaction; returns results and errors."""
    first_is_in, others_wait = threading.Event(), threading.Event()
    outcomes = {}

    def blocking(transaction):
        first_is_in.set()
        assert others_wait.wait(PATIENCE)

    def run(name, step):
        try:
            outcomes[name] = bench.commits.run(step)
        except ValueError as error:
            outcomes[name] = error

    threads = [threading.Thread(target=run, args=("first", blocking))]
    threads[0].start()
    assert first_is_in.wait(PATIENCE)
    for name, step in steps.items():
        threads.append(threading.Thread(target=run, args=(name, step)))
        threads[-1].start()
    while len(bench.commits._queue) < len(steps):
        threading.Event().wait(0.001)
    others_wait.set()
    for thread in threads:
        thread.join(PATIENCE)
    return outcomes


def test_steps_that_wait_share_one_sync(bench):
    outcomes = together(bench, {name: adding(name) for name in "abc"})
    assert [outcomes[name] for name in "abc"] == ["a", "b", "c"]
    assert bench.names() == ["a", "b", "c"]
    assert bench.synced == [{b"a", b"b", b"c"}]


def test_a_step_that_fails_undoes_itself_and_no_other(bench):
    def failing(transaction):
        adding("b")(transaction)
        raise ValueError("no")

    outcomes = together(bench, {"a": adding("a"), "b": failing, "c": adding("c")})
    assert isinstance(outcomes["b"], ValueError)
    assert bench.names() == ["a", "c"]


def test_a_step_alone_that_fails_leaves_nothing(bench):
    def failing(transaction):
        adding("b")(transaction)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        bench.commits.run(failing)
    assert bench.names() == []
    assert bench.commits.run(adding("a")) == "a"


def test_when_the_sync_fails_nothing_is_committed_and_everybody_hears_of_it(bench):
    def broken(touched):
        raise ValueError("disk")

    bench.commits._sync = broken
    outcomes = together(bench, {name: adding(name) for name in "ab"})
    assert all(isinstance(outcomes[name], ValueError) for name in "ab")
    assert bench.names() == []


def test_what_a_step_makes_worthless_is_in_the_undo_log_with_its_commit(bench):
    def step(transaction):
        transaction.useless.add("file")
        transaction.replaced.add("name")

    def failing(transaction):
        step(transaction)
        raise ValueError("no")

    outcomes = together(bench, {"a": step, "b": failing, "c": adding("c"), "d": step})
    assert isinstance(outcomes["b"], ValueError)
    execute = bench.connections.mine().execute
    assert [(one.useless, one.replaced) for one in undo.garbage(execute, 99)] == 2 * [(("file",), ("name",))]
    assert bench.committed == [(0, 1), (2, 4)]


def test_a_step_that_fails_after_its_note_is_recovered_at_once(bench):
    def torn(transaction):
        transaction.intend("photos", b"key", "text", "more")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        bench.commits.run(torn)
    assert bench.recovered == [[("photos", b"key", b"text more")]]
    assert bench.journal.count == 0


def test_a_full_disk_puts_off_what_is_left_to_recover_and_hinders_no_reader(bench, monkeypatch):
    def full(connection, batch, recovering=False):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    bench.journal.acquire()
    bench.journal.note("photos", b"key")
    bench.journal.release()
    with monkeypatch.context() as patched:
        patched.setattr(bench.commits, "_commit", full)
        bench.commits.heal()
        assert bench.journal.abandoned()
        with pytest.raises(InsufficientStorage):
            bench.commits.run(adding("a"))
    bench.commits.heal()
    assert bench.recovered == [[("photos", b"key", b"")]]


def test_a_step_that_is_refused_before_its_note_needs_no_recovery(bench):
    def refused(transaction):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        bench.commits.run(refused)
    assert bench.recovered == []


def test_what_a_dead_process_noted_is_recovered_before_the_next_step(bench):
    bench.journal.acquire()
    bench.journal.note("photos", b"one")
    bench.journal.note("photos", b"two")
    bench.journal.release()
    bench.commits.heal()
    assert bench.recovered == [[("photos", b"one", b""), ("photos", b"two", b"")]]
    bench.commits.heal()
    assert len(bench.recovered) == 1


def test_a_step_under_way_is_not_taken_for_a_dead_one(bench):
    bench.journal.acquire()
    bench.journal.note("photos", b"one")
    assert not bench.journal.abandoned()
    bench.journal.clear()
    bench.journal.release()


def test_each_thread_has_a_connection_of_its_own_that_goes_with_it(bench):
    mine = bench.connections.mine()
    others = []
    thread = threading.Thread(target=lambda: others.append(bench.connections.mine()))
    thread.start()
    thread.join()
    assert others[0] is not mine
    assert bench.connections.mine() is mine


def verb(bench, *names):
    """Adds buckets, a step for each; returns what the steps gave, or the error."""

    def run():
        try:
            return [bench.commits.run(adding(name)) for name in names]
        except (ValueError, OSError, sqlite3.IntegrityError) as error:
            return error

    return run


def test_verbs_that_run_together_share_their_steps(bench):
    results = bench.commits.together([verb(bench, "a"), list, verb(bench, "b", "c"), verb(bench, "d", "e", "f")])
    assert results == [["a"], [], ["b", "c"], ["d", "e", "f"]]
    assert bench.names() == list("abcdef")
    assert bench.synced == [{b"a", b"b", b"d"}, {b"c", b"e"}, {b"f"}]


def test_a_verb_that_fails_undoes_its_step_and_no_other(bench):
    first, second, third = bench.commits.together([verb(bench, name) for name in ("a", "a", "b")])
    assert (first, third) == (["a"], ["b"])
    assert isinstance(second, sqlite3.IntegrityError)
    assert bench.names() == ["a", "b"]


def changing(name, key, failing=False):
    def step(transaction):
        transaction.intend("photos", key)
        if failing:
            raise ValueError(name)
        return adding(name)(transaction)

    return step


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from([b"x", b"y", b"z"]), st.booleans()), max_size=14))
def test_a_transaction_has_no_more_than_one_step_of_a_key(wanted):
    with TemporaryDirectory() as folder, closing(Bench(Path(folder))) as bench:
        steps = {f"{number:02}": changing(f"{number:02}", *what) for number, what in enumerate(wanted)}

        def run(step):
            try:
                return bench.commits.run(step)
            except ValueError as error:
                return error.args[0]

        assert bench.commits.together([partial(run, step) for step in steps.values()]) == list(steps)
        good = {name: key for name, (key, failing) in zip(steps, wanted, strict=True) if not failing}
        assert bench.names() == list(good)
        for key in (b"x", b"y", b"z"):
            mine = {name for name in good if good[name] == key}
            own = [{name.decode() for name in synced} & mine for synced in bench.synced]
            assert [name for names in own for name in names] == sorted(mine)  # in their order
            assert all(len(names) <= 1 for names in own)
        assert bench.commits.idle()
        assert bench.journal.count == 0


def test_steps_of_one_key_that_wait_in_threads_have_a_transaction_each(bench):
    outcomes = together(bench, {name: changing(name, b"x") for name in "abc"} | {"d": changing("d", b"y")})
    assert [outcomes[name] for name in "abcd"] == list("abcd")
    assert sorted(map(len, bench.synced)) == [1, 1, 2]


def test_any_number_of_verbs_run_together(bench):
    names = [f"{number:03}" for number in range(LARGEST_BATCH * 2 + 5)]
    assert bench.commits.together([verb(bench, name) for name in names]) == [[name] for name in names]
    assert (bench.names(), len(bench.synced)) == (names, 3)
    assert bench.commits.idle()


def test_verbs_that_run_together_wait_for_a_thread_that_is_in_a_step(bench):
    is_in, may_go = threading.Event(), threading.Event()

    def blocking(transaction):
        is_in.set()
        assert may_go.wait(PATIENCE)

    others = [threading.Thread(target=bench.commits.run, args=(blocking,))]
    others[0].start()
    assert is_in.wait(PATIENCE)
    found = []
    others.append(
        threading.Thread(target=lambda: found.extend(bench.commits.together([verb(bench, "a"), verb(bench, "b")])))
    )
    others[1].start()
    while len(bench.commits._queue) < 2:
        threading.Event().wait(0.001)
    assert bench.names() == []
    may_go.set()
    for thread in others:
        thread.join(PATIENCE)
    assert found == [["a"], ["b"]]
    assert bench.commits.idle()


def on_fire(_):
    raise OSError("the disk is on fire")


def test_every_verb_hears_of_what_goes_wrong_for_all(bench):
    bench.commits._sync = on_fire
    first, second = bench.commits.together([verb(bench, "a"), verb(bench, "b")])
    assert isinstance(first, OSError)
    assert isinstance(second, OSError)
    assert bench.names() == []
    assert bench.commits.idle()


def failing(*arguments):
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("part", ["committed", "release", "recover", "keep"])
def test_what_is_committed_is_no_failure_whatever_goes_wrong_behind_it(part, bench, monkeypatch):
    def torn(transaction):
        transaction.intend("photos", b"key")
        raise KeyError("refused")

    if part == "committed":
        bench.commits._committed = failing
    elif part == "release":
        monkeypatch.setattr(bench.journal.counters, "changed", failing)
    elif part == "recover":
        bench.commits._recover = failing
    else:
        monkeypatch.setattr(bench.journal, "keep", failing)
    results, errors = outcomes_of(bench, adding("one"), torn, adding("two"))
    assert (results, [type(error) for error in errors]) == (["one", "two"], [KeyError])
    assert bench.names() == ["one", "two"]
    monkeypatch.undo()


def outcomes_of(bench, *steps):
    results, errors = [], []

    def run(step):
        try:
            results.append(bench.commits.run(step))
        except Exception as error:
            errors.append(error)

    bench.commits.together([partial(run, step) for step in steps])
    return results, errors


def test_what_a_step_leaves_is_put_back_at_once_though_another_key_has_to_wait(bench):
    def torn(key):
        def step(transaction):
            transaction.intend("photos", key)
            raise KeyError("refused")

        return step

    bench.hopeless = {b"one"}
    for key in (b"one", b"two"):
        with pytest.raises(KeyError):
            bench.commits.run(torn(key))
    assert [note.key for note in bench.recovered[-1]] == [b"one", b"two"]
    assert [note.key for note in bench.journal.noted()] == [b"one"]
