"""The server itself: what it is, how it is set, what it has, what it does by itself."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from gecko_tw import __version__
from gecko_tw.admin.refusals import NotFound
from gecko_tw.admin.rows import GET, Asked, row
from gecko_tw.admin.schemas import ANYTHING, BOOLEAN, answer, listed, maybe, named, whole
from gecko_tw.callers.accounts.changes import time_text
from gecko_tw.jobs.ledger import Entry
from gecko_tw.resources.dispatch.operations import POST
from gecko_tw.settings import DEFAULT_KEY, SETTINGS, Settings
from gecko_tw.store.records import Json

_TEXT = {"type": "string"}
_SECONDS = {"type": "number"}
_WHEN = maybe(_TEXT)
_PLACE = answer(place=_TEXT, site=_TEXT, secure=BOOLEAN)
INFO = answer(
    version=_TEXT,
    python=_TEXT,
    pid=whole(),
    started=_TEXT,
    uptime_seconds=_SECONDS,
    region=_TEXT,
    layout=_TEXT,
    data_dir=_TEXT,
    workers=whole(),
    default_keys=BOOLEAN,
    listeners=listed(_PLACE),
)
_NUMBER = answer(value=_SECONDS, about=_TEXT)
JOB = answer(
    name=_TEXT,
    interval_seconds=_SECONDS,
    running=BOOLEAN,
    last_begun=_WHEN,
    last_succeeded=_WHEN,
    last_took_seconds=maybe(_SECONDS),
    next=_WHEN,
    runs=whole(),
    failures=whole(),
)
CERTIFICATE = answer(file=_TEXT, subject=_TEXT, names=listed(_TEXT), begins=_TEXT, ends=_TEXT, days_left=_SECONDS)


@row("ServerInfo", GET, "/server", needs="admin:ServerInfo", answer=INFO)
def server_info(asked: Asked) -> Json:
    """Version, uptime, processes, and where it listens."""
    ground, live = asked.ground, asked.ground.live
    settings = ground.settings
    return {
        "version": __version__,
        "python": platform.python_version(),
        "pid": os.getpid(),
        "started": time_text(live.started),
        "uptime_seconds": round(max(0.0, ground.clock() - live.started), 3),
        "region": settings.region or "us-east-1",
        "layout": settings.layout,
        "data_dir": str(settings.data_dir),
        "workers": settings.workers,
        "default_keys": settings.auth and DEFAULT_KEY in (settings.access_key, settings.secret_key),
        "listeners": [dict(place) for place in live.places],
    }


@row(
    "ServerSettings",
    GET,
    "/server/settings",
    needs="admin:ServerInfo",
    answer=named(answer(value=ANYTHING, about=_TEXT)),
)
def server_settings(asked: Asked) -> Json:
    """The settings in force; secrets are null."""
    return settings_shown(asked.ground.settings)


def settings_shown(settings: Settings) -> dict[str, Json]:
    """All settings by their keys in a configuration file, with what they mean; without what is secret in any."""
    shown = {}
    for one in SETTINGS:
        value = None if one.secret else getattr(settings, one.name)
        if one.name == "webhook":
            value = [_host_alone(text) for text in settings.webhook if text]
        elif isinstance(value, tuple):
            value = [each for each in value if each]
        elif isinstance(value, Path):
            value = str(value)
        shown[one.key] = {"value": value, "about": one.help}
    return shown


def _host_alone(text: str) -> str:
    """A webhook without what may be secret in its URL, which is all but the host."""
    name, _, url = text.partition("=")
    parts = urlsplit(url)
    return f"{name}={parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@row("StorageInfo", GET, "/server/disk", needs="admin:StorageInfo", answer=named(_NUMBER))
def disk(asked: Asked) -> Json:
    """The room on the disk, and the size of the catalog."""
    return {name: {"value": value, "about": about} for name, (about, value) in asked.ground.sizes().items()}


@row("ServerPools", GET, "/server/pools", needs="admin:ServerInfo", answer=named(_SECONDS))
def pools(asked: Asked) -> Json:
    """Connections, requests under way, queues and memory of all processes together."""
    return dict(asked.ground.live.gauges())


@row("ListJobs", GET, "/server/jobs", needs="admin:ServerInfo", answer=listed(JOB))
def list_jobs(asked: Asked) -> Json:
    """What is done by itself: when it was done last, whether well, and when next."""
    return [_job(entry) for entry in asked.ground.live.jobs.entries()]


def _job(entry: Entry) -> dict[str, Json]:
    done = entry.runs > 0
    return {
        "name": entry.name,
        "interval_seconds": entry.interval,
        "running": entry.running,
        "last_begun": time_text(entry.begun) if done or entry.running else None,
        "last_succeeded": time_text(entry.succeeded) if entry.succeeded else None,
        "last_took_seconds": round(entry.ended - entry.begun, 6) if done and not entry.running else None,
        "next": None if entry.running else time_text(entry.next),
        "runs": entry.runs,
        "failures": entry.failures,
    }


@row("RunJob", POST, "/server/jobs/{job}/run", needs="admin:RunJob", status=202)
def run_job(asked: Asked) -> Json:
    """Has a job done now: within a second or two, or as soon as the run under way has ended."""
    jobs, name = asked.ground.live.jobs, asked.path["job"]
    if name not in [entry.name for entry in jobs.entries()]:
        raise NotFound(f"There is no job {name!r}.")
    jobs.want(name)


@row("ListCertificates", GET, "/server/certificates", needs="admin:ServerInfo", answer=listed(CERTIFICATE))
def list_certificates(asked: Asked) -> Json:
    """The certificates that the settings name, and when they end."""
    settings = asked.ground.settings
    inner, now = Path(settings.data_dir, ".geckos3"), asked.ground.clock()
    made = [inner / "tls/certificate.pem"] if settings.tls == "dev" else []
    made += [inner / "acme/certificate.pem"] if settings.acme else []
    return [told for file in (*filter(None, settings.tls_cert), *made) for told in _certificates(file, now)]


def _certificates(file: Path, now: float) -> Iterator[dict[str, Json]]:
    for one in x509.load_pem_x509_certificates(file.read_bytes()):
        ends = one.not_valid_after_utc
        yield {
            "file": str(file),
            "subject": one.subject.rfc4514_string(),
            "names": _names(one),
            "begins": time_text(one.not_valid_before_utc.timestamp()),
            "ends": time_text(ends.timestamp()),
            "days_left": round((ends.timestamp() - now) / 86400, 2),
        }


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in found.value]
