"""The ``geckos3`` command, beside serving: what it does to a data directory, and what it says."""

import gc
import json

import pytest
from click.testing import CliRunner

from gecko_tw import __version__, tap
from gecko_tw.commands import main
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.settings import SETTINGS, Settings
from gecko_tw.settings.sources import read_settings


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for one in SETTINGS:
        for name in one.environment:
            monkeypatch.delenv(name, raising=False)


def geckos3(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def data(tmp_path):
    """A directory with two files that nobody of us put there."""
    (tmp_path / "photos" / "cats").mkdir(parents=True)
    (tmp_path / "photos" / "cats" / "one.txt").write_bytes(b"meow")
    (tmp_path / "photos" / "two.txt").write_bytes(b"purr")
    return tmp_path


def keys_in(data):
    opened = DataDir(Settings(data_dir=data))
    opened.open()
    try:
        return [entry.key for entry in opened.driver.catalog.page("photos", b"", b"", 100, "objects")]
    finally:
        opened.close()


def test_the_version_is_told():
    told = geckos3("--version")
    assert (told.exit_code, told.output) == (0, f"geckos3 {__version__}\n")


@pytest.mark.parametrize("flags", ["-version", "-auth=false -version", "--auth=false --version"])
def test_the_version_is_told_whatever_other_flags_say(flags):
    assert geckos3(*flags.split()).output == f"geckos3 {__version__}\n"


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help_is_told(flag):
    told = geckos3(flag)
    assert told.exit_code == 0 and "Without a command it serves" in told.output
    assert "--data-dir" in geckos3("serve", flag).output


@pytest.mark.parametrize(
    "line", ["", "-auth=false -data-dir x -listen :1", "--auth false --data-dir=x --listen=:1", "serve -auth=false"]
)
def test_flags_alone_serve(monkeypatch, line):
    served = []
    monkeypatch.setattr(tap, "serve", lambda settings: served.append(settings) or 0)
    told = geckos3(*line.split())
    gc.enable()
    assert (told.exit_code, told.output) == (0, "")
    expected = read_settings({"auth": "false", "data_dir": "x", "listen": [":1"]}, {}) if "x" in line else None
    assert served == [expected or read_settings({"auth": "false" if line else None}, {})]


def test_what_is_no_command_and_no_flag_is_refused():
    assert geckos3("serv").exit_code == geckos3("-bogus=1").exit_code == 2


def test_adopting_and_looking_are_told_in_json(data):
    assert json.loads(geckos3("adopt", "--json", "--data-dir", data).output) == {"adopted": 2}
    usage = json.loads(geckos3("quota", "photos", "--objects=3", "--json", "--data-dir", data).output)
    assert usage == {
        "bucket": "photos",
        "used": {"bytes": 8, "objects": 2},
        "quota": {"bytes": None, "objects": 3},
    }
    geckos3("limits", "set", "key", "5", "--data-dir", data)
    limits = json.loads(geckos3("limits", "show", "--json", "--data-dir", data).output)
    assert limits == {
        "address": {"limit": None, "settings": None, "overridden": False},
        "key": {"limit": {"rate": 5.0, "burst": 10.0}, "settings": None, "overridden": True},
    }
    rows = json.loads(geckos3("operations", "--json").output)
    assert {"GetObject", "PutObject"} <= {row["operation"] for row in rows}
    assert "error" in json.loads(geckos3("healthcheck", "--json", "--listen=127.0.0.1:1").output)
    refused = geckos3("quota", "none", "--json", "--data-dir", data)
    assert refused.exit_code == 1 and json.loads(refused.output)["error"]


def test_every_setting_is_explained_by_the_help_of_serve():
    text = geckos3("serve", "--help").output
    assert not [one.flag for one in SETTINGS if one.flag not in text]


def test_files_of_others_are_adopted(data):
    told = geckos3("adopt", "--data-dir", data)
    assert (told.exit_code, told.output) == (0, "2 files are adopted\n")
    assert geckos3("adopt", "-data-dir", data).output == "0 files are adopted\n"
    assert keys_in(data) == [b"cats/one.txt", b"two.txt"]


def test_a_catalog_is_made_anew(data):
    geckos3("adopt", "--data-dir", data)
    told = geckos3("rebuild", "--data-dir", data)
    assert (told.exit_code, told.output) == (0, "the catalog is made anew\n")
    assert keys_in(data) == [b"cats/one.txt", b"two.txt"]


def test_what_could_not_be_read_is_named_and_in_the_exit_code(data):
    geckos3("adopt", "--data-dir", data)
    (data / ".geckos3" / "uploads" / "x.json").write_bytes(b"garbage")
    told = geckos3("rebuild", "--data-dir", data)
    assert told.exit_code == 1
    assert told.output.splitlines()[-2:] == [
        "the catalog is made anew; 1 places could not be read and are passed over:",
        "  .geckos3/uploads/x.json: it is damaged",
    ]
    told = geckos3("rebuild", "--data-dir", data, "--json")
    assert json.loads(told.stdout)["unreadable"] == {".geckos3/uploads/x.json": "it is damaged"}
    assert keys_in(data) == [b"cats/one.txt", b"two.txt"]


def test_a_catalog_is_not_made_anew_while_somebody_uses_it(data):
    opened = DataDir(Settings(data_dir=data))
    opened.open()
    try:
        told = geckos3("rebuild", "--data-dir", data)
    finally:
        opened.close()
    assert told.exit_code == 1
    assert told.output.startswith("Error: ")
    assert "in use" in told.output


NAMED = [
    "quota photos",
    "key list",
    "key add",
    "account add shop",
    "keys list",
    "rekey",
    "limits show",
    "limits set key 1",
]
OVER_DATA = [
    "rebuild",
    *NAMED,
    "limits clear",
    "user list",
    "group add readers",
    "policy explain anonymous s3:GetObject photos/a",
]


@pytest.mark.parametrize("command", ["adopt", *OVER_DATA])
def test_no_command_makes_a_data_directory(tmp_path, command):
    (tmp_path / "empty").mkdir()
    for mistyped in ("missing/data", "empty"):
        told = geckos3(*command.split(), "--data-dir", tmp_path / mistyped)
        assert told.exit_code == 1
        assert told.output.startswith(f"Error: --data-dir: '{tmp_path / mistyped}': ")
        assert "`geckos3 serve` makes one" in told.output and len(told.output.splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


@pytest.mark.parametrize("command", OVER_DATA)
def test_a_directory_of_files_is_not_made_a_data_directory_but_by_adopting(data, command):
    assert geckos3(*command.split(), "--data-dir", data).exit_code == 1
    assert not (data / ".geckos3").exists()


def test_what_has_or_is_in_a_data_directory_is_not_adopted(tmp_path):
    # In a directory of its own, as other tests of this process have theirs beside tmp_path.
    data = tmp_path / "outer" / "data"
    (data / "photos").mkdir(parents=True)
    (data / "photos" / "two.txt").write_bytes(b"purr")
    geckos3("adopt", "--data-dir", data)
    for mistyped in (data.parent, data / "photos"):
        told = geckos3("adopt", "--data-dir", mistyped)
        assert (told.exit_code, "is no data directory" in told.output) == (1, True)
        assert not (mistyped / ".geckos3").exists()


def test_a_directory_that_cannot_be_opened_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    told = geckos3("adopt", "--data-dir", tmp_path / "file")
    assert told.exit_code == 1
    assert len(told.output.splitlines()) == 1


def test_a_bad_value_is_told_in_one_line():
    told = geckos3("adopt", "--fsync=maybe")
    assert told.exit_code == 1
    assert told.output.startswith("Error: --fsync: 'maybe' is not allowed; allowed is one of")
    assert len(told.output.splitlines()) == 1


@pytest.mark.parametrize("place", ["127.0.0.1:1", "unix:/nowhere/s3.sock", "systemd:domain=INET:name=s3"])
def test_a_daemon_that_does_not_answer_is_not_well(place):
    told = geckos3("healthcheck", "--listen", place)
    assert told.exit_code == 1
    assert told.output.startswith(f"{place}: ")
