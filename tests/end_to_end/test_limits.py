"""Budgets and failures are counted in all processes and at all ports together."""

import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.end_to_end.daemon import ROOT, Daemon
from tests.end_to_end.raw import Wire, unsigned
from tests.patience import PATIENCE, eventually

LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
PAIR = {"Authorization": "Bearer geckoadmin:geckoadmin"}
NEVER = "0.0001"
"""Requests a second: so few that none is added while a test runs."""


class Crowd:
    """Many connections that ask at once; counts who answered, and with what status."""

    def __init__(self, ports: list[int], connections: int, headers: dict[str, str]) -> None:
        self._places = [ports[number % len(ports)] for number in range(connections)]
        self._headers = headers
        self._start = threading.Barrier(connections)
        self.statuses: list[int] = []
        self.processes: set[str] = set()

    def ask(self, each: int) -> "Crowd":
        """Each connection asks so many times."""
        with ThreadPoolExecutor(len(self._places)) as pool:
            for answers in pool.map(lambda port: self._visit(port, each), self._places):
                self.statuses += [answer.status for answer in answers]
                self.processes |= {answer.headers["x-amz-id-2"] for answer in answers}
        return self

    def _visit(self, port: int, each: int) -> list[HTTPResponse]:
        connection, answers = HTTPConnection("127.0.0.1", port, timeout=PATIENCE), []
        self._start.wait()
        for _ in range(each):
            connection.request("GET", "/", headers=self._headers)
            answers.append(connection.getresponse())
            answers[-1].read()
        connection.close()
        return answers


def ports_of(daemon: Daemon) -> list[int]:
    return [int(port) for port in LISTENING.findall(daemon.log)]


@pytest.mark.parametrize("of", ["address", "key"])
def test_workers_and_ports_share_one_budget_to_the_last_request(tmp_path: Path, of: str) -> None:
    options = ("--workers=2", "--listen=127.0.0.1:0", f"--rate-limit-{of}={NEVER}", f"--rate-limit-{of}-burst=100")
    with Daemon(tmp_path, *options) as daemon:
        ports = ports_of(daemon)
        assert len(ports) == 2
        crowd = Crowd(ports, 16, PAIR).ask(20)
        assert len(crowd.processes) == 2
        assert (crowd.statuses.count(200), crowd.statuses.count(503)) == (100, 220)


def test_nothing_is_limited_unless_it_is_asked_for(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        assert set(Crowd([daemon.port], 4, PAIR).ask(100).statuses) == {200}


def test_a_worker_that_is_replaced_goes_on_with_the_same_budget(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--workers=2", f"--rate-limit-key={NEVER}", "--rate-limit-key-burst=30") as daemon:
        assert Crowd([daemon.port], 4, PAIR).ask(10).statuses.count(200) == 30
        os.kill(daemon.pid, signal.SIGHUP)
        eventually(lambda: daemon.log.count(" drains") == 2)
        assert set(Crowd([daemon.port], 4, PAIR).ask(5).statuses) == {503}


def test_limits_are_changed_while_the_daemon_runs(tmp_path: Path) -> None:
    def limits(*arguments: str) -> str:
        command = [sys.executable, "-m", "gecko_tw.commands", "limits", *arguments, f"--data-dir={daemon.data_dir}"]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    def status() -> int:
        return Crowd([daemon.port], 1, PAIR).ask(1).statuses[0]

    with Daemon(tmp_path, "--workers=2") as daemon:
        assert limits("set", "key", NEVER, "--burst=1") == "key: 0.0001 a second, 1 at once\n"
        eventually(lambda: status() == 503)
        assert "no limit" in limits("show")
        limits("clear")
        eventually(lambda: [status() for _ in range(8)] == [200] * 8)


def test_bodies_that_do_not_come_shut_nobody_out(tmp_path: Path) -> None:
    """Of one address and without credentials, more of them than requests may be under way."""
    kinds = [
        ("POST", "/", "application/x-www-form-urlencoded"),
        ("POST", "/photos", "multipart/form-data; boundary=x"),
        ("POST", "/photos?delete", "text/xml"),
    ]
    with Daemon(tmp_path, "--max-in-flight=8") as daemon, ExitStack() as stack:
        assert _status(daemon, "PUT", "/photos") == 200
        for number in range(60):
            method, target, kind = kinds[number % len(kinds)]
            wire = stack.enter_context(Wire(daemon))
            wire.send(unsigned(daemon, method, target, Content_Type=kind, Content_Length="5000") + b"x")
        for _ in range(10):
            assert _status(daemon, "GET", "/photos") == 200


def test_an_address_has_so_many_connections_and_no_more(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--max-connections-per-address=3", tls=True) as daemon, ExitStack() as stack:
        eventually(lambda: _is_let_in(daemon, stack) and _is_let_in(daemon, stack) and _is_let_in(daemon, stack))
        assert not _is_let_in(daemon, stack)
        stack.close()
        eventually(lambda: _is_let_in(daemon, stack))


def _status(daemon: Daemon, method: str, target: str) -> int:
    with Wire(daemon) as wire:
        wire.send(unsigned(daemon, method, target, **PAIR, Content_Length="0"))
        return wire.answer().status


def _is_let_in(daemon: Daemon, stack: ExitStack) -> bool:
    """Whether there can be one connection more, which stays."""
    try:
        stack.enter_context(Wire(daemon)).send(unsigned(daemon, "GET", "/health"))
    except OSError:
        return False
    return True
