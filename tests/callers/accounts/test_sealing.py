"""Sealing secrets, the file of the encryption key, and changing that key."""

import os
import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.callers.accounts.sealing import KeyFile, Sealer, WrongKey, is_sealed, rekey, sealing_key
from gecko_tw.settings.kinds import key_of
from gecko_tw.store.drivers.memory import MemoryDriver

OLD, NEW = bytes(range(32)), bytes(32)


def open_sealer(documents, key):
    return Sealer(sealing_key(documents, key))


@pytest.fixture
def documents():
    return MemoryDriver().documents


@pytest.fixture
def file(tmp_path):
    return KeyFile(tmp_path / "encryption.key")


@given(st.text(), st.text())
def test_what_was_sealed_opens_under_its_own_key_and_context_only(text, context):
    sealed = Sealer(OLD).seal(text, context)
    assert Sealer(OLD).open(sealed, context) == text
    for sealer, other in ((Sealer(NEW), context), (Sealer(OLD), context + "x")):
        with pytest.raises(WrongKey):
            sealer.open(sealed, other)


def test_the_same_text_is_never_sealed_to_the_same(documents):
    sealer = open_sealer(documents, OLD)
    assert len({sealer.seal("secret", "key a") for _ in range(20)}) == 20


@given(st.binary(max_size=60))
def test_what_nobody_sealed_does_not_open(raw):
    for text in (b64encode(raw).decode(), raw.decode("latin-1")):
        with pytest.raises(WrongKey):
            Sealer(OLD).open(text, "")


def test_a_sealer_shows_nothing_of_its_key():
    assert OLD.hex() not in repr(Sealer(OLD)) and b64encode(OLD).decode() not in repr(vars(Sealer(OLD)))


@pytest.mark.parametrize("text", ["x" * 32, "ü" * 16, b64encode(OLD).decode(), f" {b64encode(OLD).decode()}\n"])
def test_an_encryption_key_is_32_bytes_as_they_are_or_as_base64(text):
    assert len(key_of(text)) == 32


@pytest.mark.parametrize("text", ["", "x" * 31, "x" * 33, b64encode(OLD[:31]).decode(), "ü" * 20])
def test_anything_else_is_no_encryption_key(text):
    with pytest.raises(ValueError):
        key_of(text)


def test_one_sealer_opens_what_another_of_the_same_deployment_sealed(documents):
    assert not is_sealed(documents)
    sealed = open_sealer(documents, OLD).seal("secret", "key a")
    assert is_sealed(documents)
    assert open_sealer(documents, OLD).open(sealed, "key a") == "secret"
    with pytest.raises(WrongKey):
        open_sealer(documents, NEW)


def test_after_a_change_of_the_key_only_the_new_one_opens_and_everything_is_there(documents):
    sealed = open_sealer(documents, OLD).seal("secret", "key a")
    with pytest.raises(WrongKey):
        rekey(documents, NEW, OLD)
    rekey(documents, OLD, NEW)
    assert open_sealer(documents, NEW).open(sealed, "key a") == "secret"
    with pytest.raises(WrongKey):
        open_sealer(documents, OLD)


def test_a_key_is_made_once_for_its_owner_alone(file, tmp_path):
    key, made = file.read()
    assert made and len(key) == 32
    assert file.read() == (key, False)
    (name,) = os.listdir(tmp_path)
    assert stat.S_IMODE(os.stat(tmp_path / name).st_mode) == 0o600


def test_many_who_start_at_once_have_the_same_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: KeyFile(tmp_path / "encryption.key").read(), range(40)))
    assert len({key for key, _ in found}) == 1
    assert sum(made for _, made in found) == 1
    assert os.listdir(tmp_path) == ["encryption.key"]


def test_a_key_is_not_made_where_one_must_be(file, tmp_path):
    with pytest.raises(FileNotFoundError):
        file.read(make=False)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(file, tmp_path, mode):
    file.read()
    os.chmod(tmp_path / "encryption.key", mode)
    with pytest.raises(PermissionError, match="0600"):
        file.read()


def test_a_file_that_holds_no_key_is_refused_without_telling_what_it_holds(file, tmp_path):
    file.read()
    (tmp_path / "encryption.key").write_text("half a secr")
    with pytest.raises(ValueError, match="encryption.key") as refused:
        file.read()
    assert "secr" not in str(refused.value)


def test_a_change_can_be_cut_anywhere_and_begun_again(file, tmp_path):
    present, _ = file.read()
    assert file.pending() is None
    assert file.begin_change() == file.begin_change()
    before, following = file.begin_change()
    assert (before, file.pending()) == (present, following)
    file.end_change()
    file.end_change()
    assert (file.read(), file.pending()) == ((following, False), None)
    assert os.listdir(tmp_path) == ["encryption.key"]
