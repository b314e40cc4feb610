"""Runs ceph/s3-tests against daemons of this checkout: ``make s3-tests S3_TESTS=<checkout of ceph/s3-tests>``.

    python -m tests.s3_tests CHECKOUT                  all cases that AWS itself passes
    python -m tests.s3_tests CHECKOUT -k versioning    those whose name has "versioning" (pytest's expressions)
    python -m tests.s3_tests CHECKOUT -n 1 -k acl -x   options it does not know are pytest's: -x, --tb=short, a file::name, …
    python -m tests.s3_tests CHECKOUT --again          the cases that failed last time
    python -m tests.s3_tests CHECKOUT --keep           no cleaning up between cases: faster, but cases that list all buckets fail
    python -m tests.s3_tests CHECKOUT --failed FILE    where the names of failed cases go (default: s3-tests-failed.txt)
    python -m tests.s3_tests CHECKOUT --files test_iam.py test_sts.py
    python -m tests.s3_tests CHECKOUT --iam            test_iam.py, whose "alt" is a user of the account "iam" as on AWS
    python -m tests.s3_tests CHECKOUT --defaults       with the accounts and short days of s3-tests.yaml, and no other setting of it

Each process of pytest-xdist has a daemon, a data directory and accounts of its own, so cases that count buckets do not meet. The
daemon's log is kept in the folder that is named at the end when a case fails.

What fails is held against the list of docs/conformance.md: cases that fail and are not listed, and cases that are listed and pass,
are named at the end.
"""

import argparse
import configparser
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.daemon import ROOT, Daemon

CONFIG = Path(__file__).with_name("s3-tests.yaml")
LIST = ROOT / "docs" / "conformance.md"
DEFAULTS_ALONE = "## With the defaults alone\n"
"""The heading of the list's section about them."""
FILES = ("test_s3.py", "test_headers.py")
OF_IAM = ("test_iam.py",)
MARKS = "not fails_on_aws and not cloud_transition and not cloud_restore"
NEEDED = ("munch", "gevent", "isodate", "pytz", "httplib2", "requests", "yaml", "lxml", "boto3", "xdist")

DAY = 2
"""Seconds that a day of a lifecycle rule takes; the suite waits for a few of them."""

CLASSES = "INTELLIGENT_TIERING, GLACIER_IR"
"""Storage classes that rules of the suite move objects to, in this order and after fewer than the 30 days that S3's other ones want."""


_FOLDER = "GECKOS3_TESTS_FOLDER"
_NAMES, _KEEP, _DEFAULTS = "GECKOS3_TESTS_FAILED", "GECKOS3_TESTS_KEEP", "GECKOS3_TESTS_DEFAULTS"
_IAM = "GECKOS3_TESTS_IAM"
_AS_THE_SUITE_EXPECTS = ("cors", "recreate", "transition-minimum-size")
"""The settings of ``s3-tests.yaml`` that are left out where the defaults are to be tested."""


def suite_config(port: int) -> configparser.RawConfigParser:
    """The suite's own configuration file for a daemon that declares the accounts of ``s3-tests.yaml``."""
    conf = configparser.RawConfigParser()
    conf["DEFAULT"] = {"host": "127.0.0.1", "port": str(port), "is_secure": "False", "ssl_verify": "False"}
    conf["fixtures"] = {"bucket prefix": "s3-{random}-"}
    for section, account in (
        ("s3 main", "main"),
        ("s3 alt", "alt"),
        ("s3 tenant", "tenant"),
        ("iam", "iam"),
        ("iam root", "iamroot"),
        ("iam alt root", "iamalt"),
    ):
        conf[section] = {
            "user_id": account,
            "display_name": account,
            "email": f"{account}@example.com",
            "access_key": f"{account}key",
            "secret_key": f"{account}secret",
        }
    conf["s3 main"].update({"api_name": "eu-west-1", "lc_debug_interval": str(DAY), "storage_classes": CLASSES})
    conf["s3 tenant"]["tenant"] = "tenant"
    if os.environ[_IAM]:
        conf["s3 alt"].update({"access_key": "iamuserkey", "secret_key": "iamusersecret"})
    return conf


class Place:
    """What one process of pytest tests: a daemon, and the suite's configuration file for it."""

    def __init__(self, folder: Path) -> None:
        day = f"--lifecycle-day={DAY}s"
        config = folder / CONFIG.name
        folder.mkdir(parents=True, exist_ok=True)
        declared = yaml.safe_load(CONFIG.read_text())
        left_out = _AS_THE_SUITE_EXPECTS if os.environ[_DEFAULTS] else ()
        config.write_text(yaml.safe_dump({name: value for name, value in declared.items() if name not in left_out}))
        self.daemon = Daemon(folder, f"--config={config}", day, "--shutdown-timeout=1s")
        self.conf = folder / "s3tests.conf"

    def open(self) -> None:
        """Starts the daemon and points the suite to it."""
        self.daemon.start()
        with self.conf.open("w") as file:
            suite_config(self.daemon.port).write(file)
        os.environ["S3TEST_CONF"] = str(self.conf)

    def close(self) -> None:
        """Ends the daemon."""
        self.daemon.kill()


# ---- as a plugin of pytest ---------------------------------------------------------------------------------------------------


_place = pytest.StashKey[Place]()
_passed: set[str] = set()
_failed: set[str] = set()


def pytest_configure(config: pytest.Config) -> None:
    """Every process that runs cases gets a daemon; the one that only hands them out gets none."""
    name = os.environ.get("PYTEST_XDIST_WORKER")
    if name is None and getattr(config.option, "numprocesses", None):
        return
    config.stash[_place] = place = Place(Path(os.environ[_FOLDER], name or "alone"))
    place.open()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the daemon."""
    place = config.stash.get(_place, None)
    if place is not None:
        place.close()


def pytest_collection_finish() -> None:
    """Takes out the cleaning around each case when nobody wants it: bucket names differ from case to case anyway."""
    suite = sys.modules.get("s3tests.functional")
    if suite is not None and os.environ[_KEEP]:
        suite.setup = suite.teardown = lambda: None  # type: ignore[attr-defined]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remembers what failed."""
    if report.failed:
        _failed.add(report.nodeid)
    elif report.when == "call" and report.passed:
        _passed.add(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes the names of failed cases, in the process that knows all of them."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        Path(os.environ[_NAMES]).write_text("".join(f"{name}\n" for name in sorted(_failed)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Counts."""
    skipped = len(terminalreporter.stats.get("skipped", ()))
    passed, all_of_them = len(_passed - _failed), len(_passed | _failed)
    terminalreporter.write_line(f"{passed} of {all_of_them} cases passed, {skipped} were skipped")
    if _failed:
        terminalreporter.write_line(f"failed cases: {os.environ[_NAMES]}; logs of the daemons: {os.environ[_FOLDER]}")
    failed, passed_now = _names(_failed), _names(_passed - _failed)
    known = listed(LIST.read_text(), bool(os.environ[_DEFAULTS]))
    for title, names in (
        ("fail and are not listed", failed - known),
        ("are listed and pass", known & passed_now),
    ):
        if names:
            terminalreporter.write_line(f"{len(names)} cases {title} in {LIST.name}: {' '.join(sorted(names))}")


def _names(nodes: set[str]) -> set[str]:
    return {node.rpartition("::")[2] for node in nodes}


def listed(document: str, defaults: bool) -> set[str]:
    """The cases in the tables of a document: in the first column, as code.

    :param defaults: whether the section about those counts that fail with the defaults alone.
    """
    before, _, rest = document.partition(DEFAULTS_ALONE)
    if not defaults:
        document = before + rest.partition("\n## ")[2]
    rows = (line.split("|")[1] for line in document.splitlines() if line.startswith("| `"))
    return {name.strip("` ") for row in rows for name in row.split("<br>")}


# ---- as a program ------------------------------------------------------------------------------------------------------------


def _arguments(checkout: Path, given: argparse.Namespace, more: list[str]) -> Iterator[str]:
    yield from ("-c", str(checkout / "pytest.ini"), "--rootdir", str(checkout))
    yield from ("-p", "no:twisted", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "tests.s3_tests")
    yield from ("-m", given.marks, "-q", "-rN", "--timeout=300", "-W", "ignore")
    if given.processes > 1:
        yield from ("-n", str(given.processes), "--dist", "worksteal")
    yield from more
    if given.again:
        yield from (str(checkout / name) for name in given.failed.read_text().splitlines())
    elif not any("::" in argument for argument in more):
        yield from (
            str(checkout / "s3tests" / "functional" / name) for name in given.files or (OF_IAM if given.iam else FILES)
        )


def main() -> int:
    """Runs the suite; returns pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.s3_tests", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("-n", "--processes", type=int, default=4)
    parser.add_argument("-m", "--marks", default=MARKS)
    parser.add_argument("--failed", type=Path, default=Path("s3-tests-failed.txt"))
    parser.add_argument("--files", nargs="+")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--defaults", action="store_true")
    parser.add_argument("--iam", action="store_true")
    given, more = parser.parse_known_args()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        parser.error(f"these are not installed: {', '.join(missing)}; pip install '.[test,s3-tests]'")
    checkout = given.checkout.resolve()
    if not (checkout / "s3tests" / "functional").is_dir():
        parser.error(f"{checkout} is no checkout of https://github.com/ceph/s3-tests")
    os.environ |= {
        _FOLDER: tempfile.mkdtemp(prefix="s3-tests-"),
        _NAMES: str(given.failed.resolve()),
        _KEEP: "yes" if given.keep else "",
        _DEFAULTS: "yes" if given.defaults else "",
        _IAM: "yes" if given.iam else "",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Where awscrt is installed it signs, and refuses what some cases want signed.
        "BOTO_DISABLE_CRT": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    code = pytest.main([*_arguments(checkout, given, more)])
    if code == pytest.ExitCode.OK:
        shutil.rmtree(os.environ[_FOLDER])
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
