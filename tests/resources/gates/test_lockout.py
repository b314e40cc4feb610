"""Who fails five times is locked out for a quarter of an hour, wherever it asks."""

from twisted.internet.task import Clock

from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.resources.gates.lockout import MOST, SECONDS, Lockout
from tests.resources.asking import NOW


def doors() -> tuple[Clock, Lockout, Lockout]:
    """Those of two processes."""
    clock, tally = Clock(), Tally()
    clock.advance(NOW)
    return clock, Lockout(tally, clock.seconds), Lockout(Tally(tally.fileno), clock.seconds)


def test_five_failures_lock_an_address_out_of_all_processes():
    _, one, other = doors()
    for number in range(MOST):
        assert one.left("192.0.2.1") == other.left("192.0.2.1") == 0
        (one, other)[number % 2].failed("192.0.2.1")
    assert one.left("192.0.2.1") == other.left("192.0.2.1") == SECONDS
    assert one.left("192.0.2.2") == 0


def test_it_ends_fifteen_minutes_after_the_last_failure():
    clock, one, _ = doors()
    for _ in range(MOST):
        clock.advance(SECONDS - 1)
        one.failed("192.0.2.1")
    clock.advance(SECONDS - 1)
    assert one.left("192.0.2.1") == 1
    clock.advance(1)
    assert one.left("192.0.2.1") == 0
    one.failed("192.0.2.1")
    assert one.left("192.0.2.1") == 0


def test_who_succeeds_begins_anew():
    _, one, _ = doors()
    for _ in range(MOST - 1):
        one.failed("192.0.2.1")
    one.succeeded("192.0.2.1")
    for _ in range(MOST - 1):
        one.failed("192.0.2.1")
    assert one.left("192.0.2.1") == 0


def test_a_network_of_ipv6_is_one_address():
    _, one, _ = doors()
    for number in range(MOST):
        one.failed(f"2001:db8::{number}")
    assert one.left("2001:db8::ffff") > 0


def test_to_look_leaves_nothing_behind():
    tally = Tally()
    assert Lockout(tally, lambda: NOW).left("192.0.2.1") == 0
    assert tally.look("locked out 192.0.2.1") is None
