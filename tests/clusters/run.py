"""``make cluster``: a whole deployment on one machine, to play with: PostgreSQL under Patroni, three nodes, HAProxy, Ceph if wanted.

Everything lies in a temporary directory and is gone when this ends.
"""

import argparse
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex

from tests.clusters import ceph, patroni
from tests.clusters.ceph import Ceph, place_in
from tests.clusters.patroni import Balancer, Patroni, Processes
from tests.clusters.postgresql import free_port
from tests.patience import eventually

NODES = 3


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--port", type=int, default=9000, help="where the deployment is served")
    parser.add_argument("--ceph", action="store_true", help="large bodies go to Ceph instead of PostgreSQL")
    return parser.parse_args()


def _check(with_ceph: bool) -> None:
    """Ends the program with one line when this machine lacks something."""
    lacking = patroni.missing() or (ceph.missing() if with_ceph else "")
    if lacking:
        raise SystemExit(f"make cluster: needed: {lacking}")


def run(stack: ExitStack, port: int, with_ceph: bool) -> Processes:
    """Starts everything and says where it is."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="geckos3-cluster-")))
    _say("PostgreSQL, three times, under Patroni …")
    database = Patroni()
    stack.callback(database.stop)
    blobs = "postgresql:"
    if with_ceph:
        _say("Ceph: a monitor, a manager, three OSDs …")
        cluster = Ceph()
        stack.callback(cluster.stop)
        blobs = place_in(cluster, "play")
    processes, key = Processes(folder), token_hex(16)
    stack.callback(processes.stop)
    ports = [free_port() for _ in range(NODES)]
    for number, own in enumerate(ports):
        settings = (f"--catalog={database.address()}", f"--blobs={blobs}", f"--encryption-key={key}", "--workers=2")
        place = (f"--data-dir={folder / str(number)}", f"--listen=127.0.0.1:{own}")
        processes.start(f"geckos3-{number}", sys.executable, "-m", "gecko_tw.commands", "serve", *settings, *place)
    Balancer(processes, "front", "/health/ready", [(own, own) for own in ports], port)
    eventually(lambda: _is_ready(port))
    _say(
        f"http://127.0.0.1:{port} is served by {NODES} nodes on ports {', '.join(map(str, ports))} (geckoadmin/geckoadmin)"
    )
    _say(f"the database is {database.address()}, bytes are in {blobs}, logs in {folder} and {database.folder}")
    _say("kill what you like; Ctrl-C ends all of it")
    return processes


def _is_ready(port: int) -> bool:
    from urllib.error import URLError
    from urllib.request import urlopen

    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def main() -> None:
    """Runs until it is told to end."""
    arguments, ended = _arguments(), threading.Event()
    _check(arguments.ceph)
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ended.set())
    with ExitStack() as stack:
        run(stack, arguments.port, arguments.ceph)
        ended.wait()


if __name__ == "__main__":
    main()
