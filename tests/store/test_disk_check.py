"""A look at the disk itself."""

import errno
import os
from pathlib import Path

import pytest

from gecko_tw.store.disk_check import check_disk


def raising(number: int):
    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_a_disk_that_works_keeps_nothing_of_the_look(tmp_path: Path) -> None:
    check_disk(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_disk(tmp_path / "gone")


@pytest.mark.parametrize("call", ["pwrite", "fdatasync", "pread"])
def test_a_disk_that_fails_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    monkeypatch.setattr(os, call, raising(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        check_disk(tmp_path)


def test_a_disk_that_gives_back_something_else_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "pread", lambda *_: bytes(500))
    with pytest.raises(OSError, match="not what is read"):
        check_disk(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(os, "pwrite", raising(number))
    check_disk(tmp_path)
