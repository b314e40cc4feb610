"""What every test shares: one that leaves a logged failure, a lost Deferred's error or a timer behind has failed."""

import gc
import sys
from collections.abc import Iterator
from weakref import WeakSet

import pytest
import pytest_twisted
from hypothesis import HealthCheck, settings
from twisted.internet import defer, task
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

pytest_plugins = ["pytester"]

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_failed: WeakSet[defer.DebugInfo] = WeakSet()


class _WatchedInfo(defer.DebugInfo):
    """Twisted makes one for each Deferred whose result is a Failure, and logs the Failure when both are thrown away."""

    def __init__(self) -> None:
        _failed.add(self)


defer.DebugInfo = _WatchedInfo  # type: ignore[misc]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Plain tests run as pytest runs them: pytest-twisted would run them in the reactor, and parametrised properties twice."""
    test = pyfuncitem.obj
    inner = getattr(getattr(test, "hypothesis", None), "inner_test", test)
    if any(hasattr(function, "_pytest_twisted_mark") for function in (test, inner)):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    returned = test(**{name: pyfuncitem.funcargs[name] for name in wanted})
    assert returned is None, f"{pyfuncitem.name} returned {returned!r}; a test that waits is marked with ensureDeferred"
    return True


class LoggedFailures:
    """The failures that one test logged and nobody expected yet."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_failure") is not None:
            self.events.append(event)

    def take(self, kind: type[BaseException]) -> list[BaseException]:
        """The logged exceptions of a kind; they were expected and fail the test no more."""
        taken = [event for event in self.events if event["log_failure"].check(kind)]
        self.events = [event for event in self.events if not event["log_failure"].check(kind)]
        return [event["log_failure"].value for event in taken]

    def lines(self) -> list[str]:
        """What is left, a line each, with tracebacks."""
        return [f"{formatEvent(event)}\n{event['log_failure'].getTraceback()}" for event in self.events]


def _collect_lost_deferreds() -> None:
    """Collecting takes 30 ms and more, so it is done only when some Deferred still holds a Failure."""
    if any(info.failResult is not None for info in _failed):
        gc.collect()
    _failed.clear()


def _timers() -> list[IDelayedCall]:
    reactor = sys.modules.get("twisted.internet.reactor")
    return [] if reactor is None else reactor.getDelayedCalls()  # type: ignore[attr-defined]


def _name(timer: IDelayedCall) -> str:
    function = getattr(timer, "func", None)
    return getattr(function, "__qualname__", repr(function))


def _new_timers(known: set[str]) -> list[IDelayedCall]:
    """Timers that were not there before; the reactor gets a few turns to finish what is being closed.

    A timer named as one that was there belongs to a server of a wider scope than the test.
    """
    for _turn in range(10):
        left = [timer for timer in _timers() if _name(timer) not in known]
        if not left:
            break
        pytest_twisted.blockon(task.deferLater(sys.modules["twisted.internet.reactor"], 0.0))  # type: ignore[arg-type]
    return left


@pytest.fixture
def logged_failures() -> Iterator[LoggedFailures]:
    """Failures logged so far in this test: ``logged_failures.take(ValueError)`` expects them."""
    found = LoggedFailures()
    globalLogPublisher.addObserver(found)
    try:
        yield found
    finally:
        globalLogPublisher.removeObserver(found)


@pytest.fixture(autouse=True)
def nothing_left_behind(logged_failures: LoggedFailures) -> Iterator[None]:
    """Fails a test that logs a failure, loses a Deferred's error or leaves a delayed call in the reactor."""
    known = {_name(timer) for timer in _timers()}
    yield
    timers = _new_timers(known)
    left = [f"a timer was left in the reactor: {timer}" for timer in timers]
    for timer in timers:
        timer.cancel()
    _collect_lost_deferreds()
    left += [f"a failure was logged: {line}" for line in logged_failures.lines()]
    assert not left, "\n".join(left)
