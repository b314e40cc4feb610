"""A data directory and its encryption key: made, missing, wrong, changed, and changed only half."""

import os
import tempfile
from base64 import b64encode
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from attrs import evolve

from gecko_tw.callers.accounts.identities import AccessKey, Account
from gecko_tw.callers.accounts.sealing import KeyFile, rekey
from gecko_tw.daemon.data_dir import CannotOpen, DataDir, make_data_dir
from gecko_tw.settings import Settings
from gecko_tw.store.drivers.layouts import UNDER_WAY

OLD, NEW = "o" * 32, b64encode(bytes(range(32))).decode()


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def key_path(settings):
    return settings.data_dir / ".geckos3" / "encryption.key"


def given(settings, key):
    return evolve(settings, encryption_key=key)


def within(settings, work, sealed=True):
    data = DataDir(settings)
    try:
        data.open(sealed)
        return work(data)
    finally:
        data.close()


def made_anew(settings):
    data = DataDir(settings)
    try:
        return data.rebuild()
    finally:
        data.close()


def settle(data):
    data.registry.put_account(Account(id="main"))
    data.registry.add_key(AccessKey(access_key="k", secret="secret", account="main"))


def secret(settings):
    return within(settings, lambda data: data.registry.key("k").secret)


def refusal(settings, work=lambda data: None):
    with pytest.raises(CannotOpen) as told:
        within(settings, work)
    assert len(str(told.value).splitlines()) == 1
    return str(told.value)


def test_a_key_is_made_once_and_an_operator_is_told_to_keep_it(settings, key_path, caplog):
    within(settings, settle)
    assert [str(key_path) in line.getMessage() for line in caplog.records] == [True]
    caplog.clear()
    made = key_path.read_text()
    assert secret(settings) == "secret"
    assert key_path.read_text() == made and not caplog.records


def test_no_secret_is_in_a_file_of_the_data_directory(settings):
    given_key = given(settings, OLD)
    within(given_key, settle)
    held = b"".join(path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file())
    assert b'"main"' in held and b'secret"' in held
    assert b"oooooooo" not in held and b':"secret"' not in held


def test_a_given_key_needs_no_file(settings, key_path):
    within(given(settings, OLD), settle)
    assert not key_path.exists()
    assert secret(given(settings, OLD)) == "secret"


def test_another_key_is_refused_and_told_apart_from_a_missing_one(settings, key_path):
    within(given(settings, OLD), settle)
    told = refusal(given(settings, NEW))
    assert "GECKOS3_ENCRYPTION_KEY" in told and OLD not in told and NEW not in told
    told = refusal(settings)
    assert "is missing" in told and str(key_path) in told
    assert not key_path.exists()


def test_the_file_of_another_directory_is_refused(settings, key_path):
    within(settings, settle)
    key_path.write_text(NEW)
    assert str(key_path) in refusal(settings)


def test_a_file_that_others_may_read_is_refused(settings, key_path):
    within(settings, settle)
    os.chmod(key_path, 0o640)
    assert "0600" in refusal(settings)


def test_the_key_in_the_file_is_changed(settings, key_path):
    within(settings, settle)
    before = key_path.read_text()
    within(settings, lambda data: data.rekey(""))
    assert key_path.read_text() != before
    assert secret(settings) == "secret"
    key_path.write_text(before)
    refusal(settings)


def test_a_given_key_is_changed_for_a_given_one(settings):
    within(given(settings, OLD), settle)
    assert "GECKOS3_NEW_ENCRYPTION_KEY" in refusal(given(settings, OLD), lambda data: data.rekey(""))
    told = refusal(given(settings, OLD), lambda data: data.rekey("too short"))
    assert "32" in told and "too short" not in told
    within(given(settings, OLD), lambda data: data.rekey(NEW))
    assert secret(given(settings, NEW)) == "secret"
    refusal(given(settings, OLD))


def test_the_key_in_the_file_is_changed_for_a_given_one(settings):
    within(settings, settle)
    within(settings, lambda data: data.rekey(NEW))
    assert secret(given(settings, NEW)) == "secret"
    refusal(settings)


class Cut(Exception):  # noqa: N818 - what happens
    """The power goes."""


@pytest.mark.parametrize("place", ["link", "replace", "fsync", "unlink"])
@pytest.mark.parametrize("before", [0, 1])
def test_a_change_that_was_cut_anywhere_leaves_a_directory_that_opens(settings, monkeypatch, place, before):
    within(settings, settle)
    data, done = DataDir(settings), []
    data.open()
    real = getattr(os, place)

    def cut(*arguments, **more):
        if len(done) == before:
            raise Cut
        done.append(arguments)
        return real(*arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, place, cut)
        with suppress(Cut):
            data.rekey("")
    data.close()
    assert secret(settings) == "secret"
    within(settings, lambda data: data.rekey(""))
    assert secret(settings) == "secret"


def test_a_change_that_had_taken_effect_is_ended_at_the_next_start(settings, key_path):
    within(settings, settle)

    def half(data):
        rekey(data.driver.documents, *KeyFile(key_path).begin_change())

    within(settings, half)
    before = key_path.read_text()
    assert secret(settings) == "secret"
    assert key_path.read_text() != before
    assert not key_path.with_name("encryption.key.new").exists()


def test_who_has_it_open_reads_on_while_the_key_changes(settings):
    data = DataDir(settings)
    data.open()
    settle(data)
    within(settings, lambda other: other.rekey(""))
    assert data.registry.key("k").secret == "secret"
    data.registry.add_key(AccessKey(access_key="k2", secret="another", account="main"))
    data.close()
    assert within(settings, lambda data: data.registry.key("k2").secret) == "another"


def test_a_rebuild_keeps_identities_and_needs_no_key(settings, key_path):
    within(settings, settle)
    hidden = key_path.rename(settings.data_dir.parent / "hidden")
    made_anew(settings)
    hidden.rename(key_path)
    assert secret(settings) == "secret"


def test_a_rebuild_makes_a_damaged_catalog_anew_and_keeps_identities(settings):
    within(settings, settle)
    catalog = settings.data_dir / ".geckos3" / "catalog.sqlite"
    raw = bytearray(catalog.read_bytes())
    raw[8192:] = os.urandom(len(raw) - 8192)
    catalog.write_bytes(raw)
    made_anew(settings)
    assert secret(settings) == "secret"


@contextmanager
def somebody_else():
    """The process is user 10001, as in our image."""
    os.setegid(10001)
    os.seteuid(10001)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def roots():
    """A data directory of root in a place where all may look."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        data = Path(folder, "data")
        within(Settings(data_dir=data), lambda data: None)
        data.chmod(0o755)
        (data / ".geckos3").chmod(0o755)
        yield data


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("given", ["root", "inner", "catalog"])
def test_who_may_not_write_is_told_whose_it_is_and_what_to_do(roots, given):
    owned = {"root": [], "inner": [roots], "catalog": [roots, *(roots / ".geckos3").rglob("*"), roots / ".geckos3"]}[
        given
    ]
    for path in owned:
        os.chown(path, 10001, 10001)
    os.chown(roots / ".geckos3" / "catalog.sqlite", 0, 0)
    with somebody_else():
        told = refusal(Settings(data_dir=roots))
        if given == "root":
            for place in (roots, roots / "missing" / "data"):
                with pytest.raises(CannotOpen) as made:
                    make_data_dir(place)
                assert str(made.value) == told
    assert "belongs to user 0 and cannot be written to by user 10001" in told
    assert "`chown -R 10001:10001`" in told and "`docker run --user 0:0`" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_write_by_the_group_is_not_refused(roots):
    os.chown(roots, 0, 10001)
    roots.chmod(0o775)
    with somebody_else():
        make_data_dir(roots)
        make_data_dir(roots / "new" / "data")


def test_what_is_moved_here_in_part_is_not_served(settings):
    within(settings, lambda data: data.driver.documents.change(*UNDER_WAY, lambda _: {"origin": "there"}))
    with pytest.raises(CannotOpen, match="`geckos3 move` has not ended"):
        within(settings, lambda data: None)
