"""The command line of twistd, and what the composition root makes of it."""

import pytest
from twisted.application.service import Application, IService
from twisted.logger import ILogObserver

from gecko_tw.settings import SETTINGS, Settings
from gecko_tw.tap import Options, makeService


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for one in SETTINGS:
        for name in one.environment:
            monkeypatch.delenv(name, raising=False)


def parsed(*arguments, **twistd):
    options = Options()
    options.parent = {"nodaemon": True, **twistd}
    options.parseOptions(list(arguments))
    return options


def test_without_flags_the_defaults_are_in_force():
    assert parsed().settings == Settings()


def test_every_setting_has_its_flag():
    text = str(Options())
    assert not [one.flag for one in SETTINGS if one.flag not in text]


def test_flags_and_the_environment_are_read(monkeypatch):
    monkeypatch.setenv("GECKOS3_REGION", "eu-central-1")
    settings = parsed("--listen", ":1", "--listen=unix:/a", "-fsync", "--workers", "3").settings
    assert (settings.listen, settings.fsync, settings.workers, settings.region) == (
        (":1", "unix:/a"),
        True,
        3,
        "eu-central-1",
    )


def test_a_bad_value_ends_the_program_with_one_line():
    with pytest.raises(SystemExit, match=r"^geckos3: --workers: 'x' is not allowed; allowed is auto"):
        parsed("--workers=x")


@pytest.mark.parametrize(
    ("twistd", "ours"),
    [
        ({}, True),
        ({"logfile": "x.log"}, False),
        ({"logger": object()}, False),
        ({"syslog": True}, False),
        ({"nodaemon": False}, False),
    ],
)
def test_messages_go_where_twistd_was_told_or_else_to_standard_error(tmp_path, twistd, ours):
    daemon = makeService(parsed(f"--data-dir={tmp_path}/data", **twistd))
    application = Application("geckos3")
    daemon.setServiceParent(application)
    assert (application.getComponent(ILogObserver) is not None) is ours


def test_nothing_is_opened_before_the_service_starts(tmp_path):
    daemon = makeService(parsed(f"--data-dir={tmp_path}/data", "--listen=127.0.0.1:0"))
    assert IService.providedBy(daemon)
    assert [child.name for child in daemon] == ["catalog", "bytes", "commits"]
    assert not (tmp_path / "data").exists()
