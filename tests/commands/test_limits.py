"""The command that changes limits: what it keeps, and what it says."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gecko_tw.commands import main
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.resources.gates.rate_limits import KIND, OVERRIDE
from gecko_tw.settings import SETTINGS, Settings

Run = Callable[..., str]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataDir]:
    opened = DataDir(Settings(data_dir=tmp_path / "data"))
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def limits(tmp_path: Path, data: DataDir, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in [name for one in SETTINGS for name in one.environment]:
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, code: int = 0) -> str:
        told = CliRunner().invoke(main, ["limits", *arguments, f"--data-dir={tmp_path / 'data'}"])
        assert told.exit_code == code, told.output
        return told.output

    return run


def test_without_an_override_the_settings_are_shown(limits: Run) -> None:
    assert limits("show", "--rate-limit-key=10") == "address: no limit\nkey: 10 a second, 20 at once\n"


def test_what_is_overridden_is_shown_beside_what_it_replaces(limits: Run) -> None:
    assert limits("set", "key", "0") == "key: no limit\n"
    assert limits("set", "address", "0.5", "--burst=7") == "address: 0.5 a second, 7 at once\n"
    assert limits("show", "--rate-limit-key=10").splitlines() == [
        "address: 0.5 a second, 7 at once (the settings say: no limit)",
        "key: no limit (the settings say: 10 a second, 20 at once)",
    ]


def test_one_override_is_cleared_and_the_other_stays(limits: Run, data: DataDir) -> None:
    for name in ("address", "key"):
        limits("set", name, "1", "--burst=1")
    assert limits("clear", "key") == "the settings are in force\n"
    assert data.driver.documents.get(KIND, OVERRIDE) == {"address": [1.0, 1.0]}
    limits("clear")
    assert data.driver.documents.all(KIND) == []


@pytest.mark.parametrize(("rate", "burst"), [("1", "many"), ("nan", "0"), ("1e9", "0"), ("", "0")])
def test_what_is_no_number_changes_nothing(limits: Run, data: DataDir, rate: str, burst: str) -> None:
    assert "allowed is a number from 0" in limits("set", "key", rate, f"--burst={burst}", code=1)
    assert data.driver.documents.all(KIND) == []
