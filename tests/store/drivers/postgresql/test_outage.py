"""What keeps bytes elsewhere is away: told once, and nobody waits for it in vain."""

import pytest

from gecko_tw.store.drivers.postgresql import outage
from gecko_tw.store.drivers.postgresql.outage import PAUSE, Outage
from gecko_tw.store.refusals import ServiceUnavailable


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(outage.time, "monotonic", lambda: now[0])
    return now


def test_while_it_cannot_be_reached_one_tries_at_a_time(now: list[float]):
    away = Outage("it")
    away.admit()
    assert isinstance(away.begun("refused", unreachable=True), ServiceUnavailable)
    with pytest.raises(ServiceUnavailable):
        away.admit()
    now[0] += PAUSE
    away.admit()  # this one tries
    with pytest.raises(ServiceUnavailable):
        away.admit()
    away.over()
    away.admit()
    away.admit()
    assert away.text == ""


def test_what_it_refuses_is_told_once_and_others_go_on_asking(now: list[float], caplog: pytest.LogCaptureFixture):
    away = Outage("it")
    for _ in range(3):
        away.begun("no credit", unreachable=False)
        away.admit()
    assert away.text == "no credit"
    assert caplog.text.count("it cannot be used: no credit") == 1
    caplog.set_level("INFO")
    away.over()
    away.over()
    assert caplog.text.count("it can be used again") == 1
