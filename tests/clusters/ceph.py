"""A real, small Ceph on loopback: one monitor, one manager, three OSDs, and a pool that is kept three times. It starts in ten seconds.

Debian's packages `ceph-mon ceph-osd ceph-mgr ceph-common python3-rados` are what it needs, and root. It is started by
``make cluster-test`` and ``make cluster`` alone.
"""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from uuid import uuid4

from tests.clusters.postgresql import free_port
from tests.patience import PATIENCE

OSDS = 3
POOL = "geckos3"

_CONF = """[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{v2}/0,v1:127.0.0.1:{v1}/0]
public network = 127.0.0.0/8
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 3
osd pool default min size = 2
osd pool default pg num = 16
osd crush chooseleaf type = 0
mon allow pool delete = true
mon warn on insecure global id reclaim allowed = false
mon osd down out interval = 600
mon osd reporter subtree level = osd
osd heartbeat grace = 6
osd heartbeat interval = 1
run dir = {folder}/run
admin socket = {folder}/run/$cluster-$name.asok
log file = {folder}/log/$name.log
keyring = {folder}/$name.keyring
[mon]
mon data = {folder}/mon
[mgr]
mgr data = {folder}/mgr
[osd]
osd data = {folder}/osd$id
osd objectstore = memstore
osd memory target = 939524096
memstore device bytes = 1073741824
"""


def missing() -> str:
    """What this machine lacks to run one; empty when it has everything."""
    programs = [one for one in ("ceph-mon", "ceph-osd", "ceph-mgr", "ceph") if shutil.which(one) is None]
    return f"{', '.join(programs)} of Debian's Ceph" if programs else "" if os.geteuid() == 0 else "root's rights"


class Ceph:
    """A running one. :meth:`stop` ends it and removes everything.

    :ivar conf: the path of its configuration file, whose keyring lies beside it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="geckos3-ceph-"))
        self.conf = self.folder / "ceph.conf"
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("run", "log", "mon", "mgr"):
            (self.folder / name).mkdir(parents=True)
        fsid, v2, v1 = str(uuid4()), free_port(), free_port()
        self.conf.write_text(_CONF.format(fsid=fsid, folder=self.folder, v2=v2, v1=v1))
        self._make_monitor(fsid, v2, v1)
        with ThreadPoolExecutor(OSDS) as threads:
            made = list(threads.map(self._make_osd, range(OSDS)))
        # Not in those threads: a daemon ends with the thread that has started it.
        for number in made:
            self.start_osd(number)
        self.wait(OSDS)
        self.ask("osd", "pool", "create", POOL, "16")

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def ask(self, *words: str) -> str:
        """What a command of ``ceph`` says."""
        return self._run("ceph", "-c", str(self.conf), *words)

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / "log" / f"{name}.out").open("ab") as log:
            command = ("setpriv", "--pdeathsig", "TERM", *command, "-f", "-c", str(self.conf))
            self._daemons[name] = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)

    def _make_monitor(self, fsid: str, v2: int, v1: int) -> None:
        place = f"[v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]"
        key = ("--create-keyring", "--gen-key")
        self._run("ceph-authtool", "mon.keyring", *key, "-n", "mon.", "--cap", "mon", "allow *")
        caps = [word for kind in ("mon", "osd", "mgr") for word in ("--cap", kind, "allow *")]
        self._run("ceph-authtool", "client.admin.keyring", *key, "-n", "client.admin", *caps)
        self._run("ceph-authtool", "mon.keyring", "--import-keyring", "client.admin.keyring")
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", place, "monmap")
        ring = ("--monmap", "monmap", "--keyring", "mon.keyring")
        self._run("ceph-mon", "-c", str(self.conf), "--mkfs", "-i", "a", *ring)
        self._start("mon", "ceph-mon", "-i", "a", "--keyring", "mon.keyring")
        allowed = ("mon", "allow profile mgr", "osd", "allow *", "mds", "allow *")
        (self.folder / "mgr.x.keyring").write_text(self.ask("auth", "get-or-create", "mgr.x", *allowed))
        self._start("mgr", "ceph-mgr", "-i", "x", "--keyring", "mgr.x.keyring")

    def _make_osd(self, _: int) -> int:
        """Its number."""
        uuid = str(uuid4())
        number = int(self.ask("osd", "new", uuid))
        allowed = ("mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *")
        keyring = self.folder / f"osd.{number}.keyring"
        keyring.write_text(self.ask("auth", "get-or-create", f"osd.{number}", *allowed))
        (self.folder / f"osd{number}").mkdir()
        made = ("--mkfs", "--osd-uuid", uuid, "--keyring", str(keyring))
        self._run("ceph-osd", "-c", str(self.conf), "-i", str(number), *made)
        return number

    def start_osd(self, number: int) -> None:
        """Starts one of them; what it had is there again only if it was paused."""
        self._start(f"osd{number}", "ceph-osd", "-i", str(number))

    def pause_osd(self, number: int, paused: bool = True) -> None:
        """Stops one of them in the middle of everything, or lets it go on."""
        self._daemons[f"osd{number}"].send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def kill_osd(self, number: int) -> None:
        """Ends one of them for good."""
        self._daemons[f"osd{number}"].kill()
        self._daemons[f"osd{number}"].wait(PATIENCE)

    def wait(self, osds: int) -> None:
        """Until so many are up."""
        until = time.monotonic() + PATIENCE
        while f" {osds} up" not in self.ask("osd", "stat"):
            assert time.monotonic() < until, self.ask("-s")
            time.sleep(0.2)

    def stop(self) -> None:
        """Harmless when repeated."""
        for daemon in self._daemons.values():
            daemon.kill()
        for daemon in self._daemons.values():
            daemon.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def shared_ceph() -> Ceph:
    """The one of this session."""
    ceph = Ceph()
    atexit.register(ceph.stop)
    return ceph


def place_in(ceph: Ceph, namespace: str, pool: str = POOL) -> str:
    """What ``--blobs`` says of a namespace of it."""
    return f"rados:{pool}?conf={ceph.conf}&namespace={namespace}"
