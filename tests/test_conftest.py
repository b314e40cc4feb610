"""The fixture ``nothing_left_behind``, held against tests that leave something."""

from pathlib import Path

CULPRITS = """
import pytest
import pytest_twisted
from hypothesis import given, strategies
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import deferLater
from twisted.logger import Logger


def test_culprit_logs_a_failure():
    try:
        raise ValueError("logged")
    except ValueError:
        Logger().failure("oh")


def test_culprit_loses_the_error_of_a_deferred():
    fail(ValueError("lost"))


def test_culprit_loses_a_deferred_in_a_cycle():
    lost = fail(ValueError("lost"))
    lost.itself = lost


@pytest_twisted.ensureDeferred
async def test_culprit_leaves_a_timer():
    from twisted.internet import reactor
    reactor.callLater(1000, print)


def test_culprit_returns_what_nobody_waits_for():
    return succeed(None)


def test_innocent_after_a_timer():
    pass


def test_innocent_expects_its_failure(logged_failures):
    fail(ValueError("lost"))
    assert [str(error) for error in logged_failures.take(ValueError)] == ["lost"]


def test_innocent_consumes_the_error():
    fail(ValueError("seen")).addErrback(lambda failure: None)


@pytest_twisted.ensureDeferred
async def test_innocent_waits():
    from twisted.internet import reactor
    await deferLater(reactor, 0.001)
    await succeed(None)


@pytest.fixture
def server():
    from twisted.internet import reactor
    timer = reactor.callLater(1000, print)
    yield
    timer.cancel()


def test_innocent_has_a_timer_while_it_runs(server):
    pass


@pytest.fixture(scope="session", params=["one", "two"])
def kind(request):
    return request.param


@given(number=strategies.integers())
def test_innocent_property_of_each_kind(kind, number):
    assert kind in ("one", "two")
"""


def test_what_a_test_leaves_behind_fails_that_test_and_no_other(pytester):
    pytester.makeconftest((Path(__file__).parent / "conftest.py").read_text())
    pytester.makepyfile(CULPRITS)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rA")

    def named(*words):
        return {line.split("::")[1].split()[0] for line in result.outlines if line.startswith(words)}

    blamed = named("ERROR ", "FAILED ")
    innocent = named("PASSED ") - blamed
    assert len(blamed) == 5
    assert all(name.startswith("test_culprit") for name in blamed)
    assert len(innocent) == 7
    assert all(name.startswith("test_innocent") for name in innocent)
