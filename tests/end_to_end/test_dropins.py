"""Operations that another package adds with a dropin."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.end_to_end.daemon import ROOT, SERVE, TWISTD, Daemon
from tests.end_to_end.place import Place
from tests.patience import PATIENCE

EXAMPLE = ROOT / "docs" / "examples" / "geckos3-weather"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example of docs/plugins.md is installed."""
    folder = tmp_path_factory.mktemp("example")
    source = shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "dropin.cache"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(folder / "site"), str(source)], check=True, timeout=PATIENCE)
    return folder / "site"


def with_folder(*folders: Path) -> str:
    return os.pathsep.join(filter(None, [str(ROOT), *map(str, folders), os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def path(installed: Path) -> str:
    return with_folder(installed)


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
        assert urlopen(f"{daemon.url}/?weather", timeout=PATIENCE).read() == b"fair"


def test_a_request_that_two_claim_is_refused_at_start_naming_both(tmp_path, path):
    plugins = tmp_path / "gecko_tw" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "other_dropin.py").write_text(
        "from gecko_tw.dropins.descriptions import OperationFamily\nother = OperationFamily('other', 'geckos3_weather')\n"
    )
    ended = operations(f"{path}{os.pathsep}{tmp_path}")
    assert ended.returncode == 1
    assert "GetWeather: declared by " in ended.stderr
    assert "weather" in ended.stderr
    assert "other" in ended.stderr


SINK = "from gecko_tw.dropins.descriptions import NotificationSink\nqueue = NotificationSink('queue', 'my_queue', 'connect')\n"
KEYS = (
    "from gecko_tw.dropins.descriptions import KeyManagement\nvault = KeyManagement('vault', 'my_queue', 'connect')\n"
)
MISTAKES = {
    "syntax": ("def", None, "dropin gecko_tw.plugins.bad_dropin cannot be used: SyntaxError: "),
    "import": ("import nowhere_to_be_found", None, "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    "module": (
        "from gecko_tw.dropins.descriptions import OperationFamily\nphotos = OperationFamily('photos', 'nowhere_to_be_found')",
        None,
        "dropin photos cannot be used: ModuleNotFoundError",
    ),
    "nothing": (
        "from gecko_tw.dropins.descriptions import OperationFamily\nphotos = OperationFamily",
        None,
        "publishes nothing",
    ),
    "sink": (
        SINK,
        "def connect(reactor):\n    raise OSError('no queue\\nthere')",
        "dropin queue cannot be used: OSError: no queue there",
    ),
    "factory": (SINK, "", "dropin queue cannot be used: AttributeError: "),
    "keys": (
        KEYS,
        "def connect():\n    raise ValueError('no vault')",
        "dropin vault cannot be used: ValueError: no vault",
    ),
}


# Who runs the start makes a difference only for where it fails: while the plugin is made, and while what it names is used.
@pytest.mark.parametrize(
    ("mistake", "command"), [*((mistake, SERVE) for mistake in MISTAKES), ("syntax", TWISTD), ("sink", TWISTD)]
)
def test_a_dropin_with_a_mistake_stops_the_start_with_one_line_that_names_it(tmp_path, mistake, command):
    text, module, told = MISTAKES[mistake]
    plugins = tmp_path / "gecko_tw" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "bad_dropin.py").write_text(text)
    if module is not None:
        (tmp_path / "my_queue.py").write_text(module)
    ended = subprocess.run(
        [*command, f"--data-dir={tmp_path}/data", "--listen=127.0.0.1:0", "--workers=1"],
        env=os.environ | {"PYTHONPATH": with_folder(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert told in ended.stderr and "Traceback" not in ended.stderr
    assert ended.returncode == 1 or (module is not None and command is TWISTD)


def test_a_command_tells_of_a_dropin_with_a_mistake_as_well(tmp_path):
    plugins = tmp_path / "gecko_tw" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "bad_dropin.py").write_text("def")
    ended = operations(with_folder(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: dropin gecko_tw.plugins.bad_dropin cannot be used: SyntaxError: ")


DRIVER = "from gecko_tw.dropins.descriptions import Driver\nmine = Driver('mine', 'my_driver', 'MyDriver', 'mine.sqlite', ('fsync',))\n"
MY_DRIVER = '''
import os

from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import IDriver
from gecko_tw.store.drivers.pool.driver import PoolDriver


@implementer(IDriver)
class MyDriver:
    """Objects elsewhere: in a directory beside the one that is served."""

    def __init__(self, data_dir, *, fsync):
        self.data_dir = data_dir
        self._mark = os.path.join(data_dir, ".geckos3", "mine.sqlite")
        self._pool = PoolDriver(data_dir + ".elsewhere", fsync=fsync)

    def open(self):
        os.makedirs(os.path.dirname(self._mark), exist_ok=True)
        open(self._mark, "a").close()
        self._pool.open()
        for name in ("catalog", "blobs", "documents", "notices", "damage"):
            setattr(self, name, getattr(self._pool, name))

    def flush(self):
        return self._pool.flush()

    def close(self):
        self._pool.close()
'''


@pytest.fixture
def driver_path(tmp_path):
    plugins = tmp_path / "site" / "gecko_tw" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "my_dropin.py").write_text(DRIVER)
    (tmp_path / "site" / "my_driver.py").write_text(MY_DRIVER)
    return with_folder(tmp_path / "site")


def test_a_driver_of_a_dropin_keeps_what_is_stored(tmp_path, driver_path):
    for _ in range(2):
        with Daemon(tmp_path, "--layout=mine", "--workers=2", env={"PYTHONPATH": driver_path}) as daemon:
            place = Place(daemon)
            if not place.s3.list_buckets()["Buckets"]:
                place.s3.create_bucket(Bucket="photos")
                place.put("photos", "cat", b"meow")
            assert place.get("photos", "cat") == b"meow"
    assert (tmp_path / "data.elsewhere" / ".geckos3").is_dir()
    assert not (tmp_path / "data" / "photos").exists()


@pytest.mark.parametrize("command", [SERVE, TWISTD], ids=["serve", "twistd"])
def test_a_layout_that_no_driver_has_is_refused_with_those_there_are(tmp_path, driver_path, command):
    ended = subprocess.run(
        [*command, f"--data-dir={tmp_path}/data", "--layout=yours", "--listen=127.0.0.1:0"],
        env=os.environ | {"PYTHONPATH": driver_path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 1
    assert "--layout: 'yours' is not allowed; allowed is one of files, mine, pool" in ended.stderr
    assert not (tmp_path / "data").exists()
