"""Every server that takes part, described: where its program is, how it is started, what it can.

A description is data; `running.py` starts what it describes. All run with their own defaults, apart from the key pair, the address and
the data directory; what else one needs to run at all is said in its note.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from benchmarks.results import OURS, Contestant
from gecko_tw import __version__
from gecko_tw.settings import SETTINGS

PLAIN, TLS, FSYNC = "plain", "tls", "fsync"
ACCESS = SECRET = "geckoadmin"
_ELF = b"\x7fELF"


@frozen
class Peer:
    """A server.

    Texts may name in braces: ``port``, ``port2`` to ``port9``, ``data`` (its directory), ``folder`` (for other files), ``access`` and
    ``secret``, ``cert`` and ``key`` (PEM files), ``certs`` (their folder, as ``public.crt`` and ``private.key``).

    :ivar program: its file's name, or a path.
    :ivar command: its arguments; ``...`` stands for those of the mode.
    :ivar tls: further arguments for https, or None when it has none; ``fsync`` likewise for bytes on the disk before the answer.
    :ivar environment: further variables.
    :ivar files: texts of files to write before it starts, by name below ``folder``.
    :ivar ask_version: arguments that print its version.
    :ivar bucket: where a bucket's objects lie as files, with ``bucket`` in braces, or None when files put there are no objects at once.
    """

    key: str
    name: str
    program: str
    command: tuple[str, ...]
    tls: tuple[str, ...] | None = None
    fsync: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(factory=dict)
    files: Mapping[str, str] = field(factory=dict)
    ask_version: tuple[str, ...] = ("--version",)
    access: str = ACCESS
    secret: str = SECRET
    bucket: str | None = None
    note: str = ""
    version: str = ""

    @property
    def ours(self) -> bool:
        return self.key.startswith(OURS)

    def modes(self) -> frozenset[str]:
        """PLAIN, and TLS and FSYNC where it has them."""
        extra = {TLS: self.tls, FSYNC: self.fsync}
        return frozenset({PLAIN, *(mode for mode, options in extra.items() if options is not None)})

    def arguments(self, mode: str) -> list[str]:
        """Its arguments in a mode, with names in braces."""
        options = {PLAIN: (), TLS: self.tls or (), FSYNC: self.fsync or ()}[mode]
        return [part for word in self.command for part in (options if word == "..." else (word,))]

    def contestant(self) -> Contestant:
        """What the results say of it."""
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        words = self.arguments(PLAIN)
        launched = words[: len(_LAUNCH) - 1] == list(_LAUNCH[:-1])
        words = ["geckos3", *words[len(_LAUNCH) - 1 :]] if launched else [Path(self.program).name, *words]
        further = [("https", self.tls), ("fsync", self.fsync)]
        added = [f"{name}: {' '.join(options)}" for name, options in further if options]
        return Contestant(
            self.key, self.name, self.version, "; ".join([" ".join([*variables, *words]), *added]), self.note
        )


_LAUNCH = ("-m", "gecko_tw.commands", "serve")
_GECKO_KEYS = {"GECKOS3_ACCESS_KEY": "{access}", "GECKOS3_SECRET_KEY": "{secret}"}

DAEMON = Peer(
    key=OURS,
    name="GeckoS3 on Twisted",
    program=sys.executable,
    command=(*_LAUNCH, "--data-dir={data}", "--listen=127.0.0.1:{port}", "..."),
    tls=("--tls-cert={cert}", "--tls-key={key}"),
    fsync=("--fsync=true",),
    environment=_GECKO_KEYS,
    version=__version__,
)

_IDENTITIES = """{{"identities": [{{"name": "bench", "credentials": [{{"accessKey": "{access}", "secretKey": "{secret}"}}],
"actions": ["Admin", "Read", "Write", "List", "Tagging"]}}]}}"""

PEERS = (
    Peer(
        key="geckos3",
        name="GeckoS3",
        program="geckos3",
        command=("-data-dir={data}", "-listen=127.0.0.1:{port}", "..."),
        fsync=("-fsync",),
        environment=_GECKO_KEYS,
        ask_version=("-version",),
        bucket="{data}/{bucket}",
        note="the original, in Go; no https",
    ),
    Peer(
        key="versitygw",
        name="versitygw",
        program="versitygw",
        command=("--port=127.0.0.1:{port}", "--keep-alive", "...", "posix", "{data}"),
        tls=("--cert={cert}", "--key={key}"),
        environment={"ROOT_ACCESS_KEY": "{access}", "ROOT_SECRET_KEY": "{secret}"},
        bucket="{data}/{bucket}",
        note="backend posix; without --keep-alive it closes the connection after every answer",
    ),
    Peer(
        key="minio",
        name="MinIO",
        program="minio",
        command=("server", "--address=127.0.0.1:{port}", "...", "{data}"),
        tls=("--certs-dir={certs}",),
        environment={"MINIO_ROOT_USER": "{access}", "MINIO_ROOT_PASSWORD": "{secret}", "MINIO_UPDATE": "off"},
        note="one directory, no erasure coding; does not look for updates",
    ),
    Peer(
        key="seaweedfs",
        name="SeaweedFS",
        program="weed",
        command=(
            "server",
            "-dir={data}",
            "-ip=127.0.0.1",
            "-master.port={port2}",
            "-master.port.grpc={port3}",
            "-master.telemetry=false",
            "-volume.port={port4}",
            "-volume.port.grpc={port5}",
            "-volume.max=100",
            "-filer.port={port6}",
            "-filer.port.grpc={port7}",
            "-s3",
            "-s3.port={port}",
            "-s3.port.grpc={port8}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-debug.port={port9}",
            "-s3.config={folder}/identities.json",
            "...",
        ),
        tls=("-s3.cert.file={cert}", "-s3.key.file={key}"),
        files={"identities.json": _IDENTITIES},
        ask_version=("version",),
        note="master, volume server, filer and S3 in one process; 100 volumes, as each bucket takes seven of the default's eight",
    ),
    Peer(
        key="rclone",
        name="rclone serve s3",
        program="rclone",
        command=("serve", "s3", "--addr=127.0.0.1:{port}", "--auth-key={access},{secret}", "...", "{data}"),
        tls=("--cert={cert}", "--key={key}"),
        environment={"RCLONE_CONFIG": "/dev/null"},
        ask_version=("version",),
        bucket="{data}/{bucket}",
        note="over a local directory",
    ),
    Peer(
        key="moto",
        name="moto",
        program="moto_server",
        command=("-H", "127.0.0.1", "-p", "{port}", "..."),
        tls=("-c", "{cert}", "-k", "{key}"),
        note="a test double in Python: keeps everything in memory and looks at no signature",
    ),
    Peer(
        key="s3rver",
        name="s3rver",
        program="s3rver",
        command=("-d", "{data}", "-a", "127.0.0.1", "-p", "{port}", "--no-vhost-buckets", "..."),
        tls=("--cert", "{cert}", "--key", "{key}"),
        access="S3RVER",
        secret="S3RVER",
        note="a test double in JavaScript; its key pair cannot be chosen",
    ),
)


def variants() -> list[Peer]:
    """Our own daemon, with its default settings and with further ones worth a column."""
    found = [DAEMON]
    if any(one.name == "layout" for one in SETTINGS):
        pool = (*DAEMON.command[:-1], "--layout=pool", "...")
        named = {"key": f"{OURS}-pool", "name": "the same, pool layout", "command": pool}
        found.append(evolve(DAEMON, **named))
    return found


def floors() -> list[Peer]:
    """What does the least that our daemon must do, in both layouts: see `floor.py`."""
    command = ("-m", "benchmarks.floor", "--data={data}", "--port={port}", "...")
    least = evolve(
        DAEMON,
        key=f"{OURS}-least",
        name="the least (floor.py)",
        command=command,
        tls=None,
        fsync=("--fsync",),
        environment={},
    )
    pool = {"key": f"{OURS}-least, pool", "name": "the least, pool layout", "command": (*command, "--pool")}
    return [least, evolve(least, **pool)]


def found_peers(folder: Path) -> list[Peer]:
    """Those whose programs are there, with their versions.

    A program is looked for in the variable ``BENCH_<KEY>``, in ``folder`` as `install.py` fills it, and on the PATH.
    """
    located = ((peer, _locate(peer, folder)) for peer in PEERS)
    return [evolve(peer, program=str(path), version=_version(peer, path)) for peer, path in located if path is not None]


def tool(name: str, folder: Path) -> Path | None:
    """A further program, e.g. a load generator, looked for likewise."""
    paths = [folder / place / name for place in ("bin", "venv/bin", "node_modules/.bin")]
    found = next((path for path in paths if path.exists()), None) or shutil.which(name)
    return Path(found) if found else None


def _locate(peer: Peer, folder: Path) -> Path | None:
    told = os.environ.get("BENCH_" + peer.key.upper())
    if told:
        return Path(told)
    path = tool(peer.program, folder)
    # Our own launcher has the original's name; the original is a native program.
    if peer.key == "geckos3" and path is not None and path.read_bytes()[:4] != _ELF:
        return None
    return path


def _version(peer: Peer, path: Path) -> str:
    """What Go's build information says, else the program, else its package."""
    go = shutil.which("go")
    if go and (told := _said(go, "version", "-m", str(path))):
        modules = [line.split() for line in told.splitlines() if line.strip().startswith("mod")]
        if modules and modules[0][2] != "(devel)":
            return modules[0][2]
    if peer.key == "moto":
        python = path.with_name("python")
        return _said(str(python), "-c", "from importlib.metadata import version; print(version('moto'))").strip()
    return next((line.strip() for line in _said(str(path), *peer.ask_version).splitlines() if line.strip()), "")


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
