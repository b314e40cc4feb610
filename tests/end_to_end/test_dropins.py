"""Operations that another package adds with a dropin."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.end_to_end.daemon import PATIENCE, ROOT, Daemon

DROPIN = Path(__file__).parent / "dropin"


@pytest.fixture
def path():
    return os.pathsep.join(filter(None, [str(ROOT), str(DROPIN), os.environ.get("PYTHONPATH", "")]))


def operations(path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gecko_tw.commands", "operations"]
    return subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=PATIENCE
    )


def test_operations_of_a_dropin_are_printed_with_ours(path):
    lines = operations(path).stdout.splitlines()
    assert [line.split() for line in lines if "Weather" in line] == [
        ["GetWeather", "GET", "/?weather", "weather:GetWeather"]
    ]
    assert any(line.startswith("PutObject ") for line in lines)


def test_operations_of_a_dropin_are_answered(tmp_path, path):
    with Daemon(tmp_path, "--workers=2", "--auth=false", env={"PYTHONPATH": path}) as daemon:
        assert urlopen(f"{daemon.url}/?weather", timeout=20).read() == b"fair"


def test_a_request_that_two_claim_is_refused_at_start_naming_both(tmp_path, path):
    plugins = tmp_path / "gecko_tw" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "other_dropin.py").write_text(
        "from gecko_tw.dropins import OperationFamily\nother = OperationFamily('other', 'weather_station')\n"
    )
    ended = operations(f"{path}{os.pathsep}{tmp_path}")
    assert ended.returncode == 1
    assert "GetWeather: declared by " in ended.stderr
    assert "weather" in ended.stderr
    assert "other" in ended.stderr
