"""The kinds of values that settings have: how each is read from text, and what it allows."""

import os
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen

from gecko_tw.settings.targets import target_of

TRUE = ("1", "t", "T", "TRUE", "true", "True")
FALSE = ("0", "f", "F", "FALSE", "false", "False")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
ENDPOINTS = frozenset(("tcp", "tcp4", "tcp6", "ssl", "unix", "systemd", "stdio", "tls"))
"""First words of endpoint strings that can stand before a number only, and so look like a host and a port."""

POSTGRESQL = "postgresql:"
"""What the address of a database begins with."""

KEY_BYTES = 32
"""Bytes of an encryption key."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SIZE = re.compile(r"(\d+) ?(B|KiB|MiB|GiB)?")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.%\w]+\]|[^:\[\]=\s]*):(\d{1,5})")
_ENDPOINT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*:.+")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_WEBHOOK = re.compile(r"[A-Za-z0-9_-]+=https?://[^\s/]+\S*")
_EMAIL = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
_URL = re.compile(r"https?://[^\s/]+\S*")
_UMASK = re.compile(r"0?[0-7]{3}")
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FAR = re.compile(
    r"s3:[A-Za-z0-9._-]{1,64}|rados:[A-Za-z0-9._-]{1,128}(\?(conf|user|namespace)=[^&=\s]+(&(conf|user|namespace)=[^&=\s]+)*)?"
)
"""What keeps bytes elsewhere, in ``--blobs``."""
_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*")


@frozen
class Kind:
    """A kind of value.

    :ivar read: text to value; raises ValueError for what is not allowed.
    :ivar allowed: what is allowed, to stand behind "allowed is".
    :ivar word: its name in tables and command lines.
    """

    read: Callable[[str], Any]  # of a type of its own
    allowed: str
    word: str


def _boolean(text: str) -> bool:
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise ValueError(text)


def _text(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError(text)
    return text


def _path(text: str) -> Path:
    return Path(_text(text)).expanduser()


def _optional_path(text: str) -> Path | None:
    return _path(text) if text else None


def _config(text: str) -> Path | None:
    """Absolute, because a daemon may leave the directory it was started in before it reads the file again."""
    return _path(text).absolute() if text else None


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or int(text) < least:
            raise ValueError(text)
        return int(text)

    return read


def _workers(text: str) -> int:
    return _cores() if text == "auto" else _whole(1)(text)


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rate(text: str) -> float:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,4})?", text):
        raise ValueError(text)
    return float(text)


def _share(text: str) -> float:
    if not re.fullmatch(r"[01]|0\.\d{1,6}|1\.0{1,6}", text):
        raise ValueError(text)
    return float(text)


def _host(text: str) -> str:
    if text and not _HOST.fullmatch(text):
        raise ValueError(text)
    return text


def _prefix(text: str) -> str:
    """Without a slash at its end."""
    text = text.rstrip("/")
    if text and not _PREFIX.fullmatch(text):
        raise ValueError(text)
    return text


def _duration(text: str) -> float:
    """Seconds. A plain number means seconds; units may follow one another as in ``1h30m``."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", text):
        raise ValueError(text)
    return sum(float(number) * SECONDS[unit] for number, unit in _DURATION.findall(text))


def _interval(text: str) -> float:
    seconds = _duration(text)
    if seconds < 0.01:
        raise ValueError(text)
    return seconds


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * BYTES[found[2] or ""]


def _webhook(text: str) -> str:
    """Left as text; empty for none."""
    if text and not _WEBHOOK.fullmatch(text):
        raise ValueError(text)
    return text


def key_of(text: str) -> bytes:
    """An encryption key from 32 characters or from base64. Raises ValueError."""
    raw = text.encode()
    if len(raw) != KEY_BYTES:
        raw = b64decode(text.strip(), validate=True)
    if len(raw) != KEY_BYTES:
        raise ValueError("an encryption key has 32 bytes")
    return raw


def _encryption_key(text: str) -> str:
    """Left as text; empty for none."""
    if text:
        key_of(text)
    return text


def _catalog(text: str) -> str:
    """Left as text; what stands in an address is looked at where it is used."""
    if text not in ("files", POSTGRESQL) and not text.startswith((POSTGRESQL + "//", "postgres://")):
        raise ValueError(text)
    return text


def _blobs(text: str) -> str:
    """Left as text; empty for the default."""
    if text not in ("", POSTGRESQL) and not text.startswith("files:/") and not _FAR.fullmatch(text):
        raise ValueError(text)
    return text


def _umask(text: str) -> str:
    """Left as text; empty for that of the process."""
    if text and not _UMASK.fullmatch(text):
        raise ValueError(text)
    return text


def _region(text: str) -> str:
    if text and not _REGION.fullmatch(text):
        raise ValueError(text)
    return text


def _domain(text: str) -> str:
    if text and not _DOMAIN.fullmatch(text.lower()):
        raise ValueError(text)
    return text.lower()


def _email(text: str) -> str:
    if text and not _EMAIL.fullmatch(text):
        raise ValueError(text)
    return text


def _directory(text: str) -> str:
    if not _URL.fullmatch(text):
        raise ValueError(text)
    return text


def _listen(text: str) -> str:
    """Left as text; the form is checked here, an endpoint string's own arguments where it is opened."""
    found = split_host_port(text)
    if found is None and not _ENDPOINT.fullmatch(text):
        raise ValueError(text)
    if found is not None and found[1] > 65535:
        raise ValueError(text)
    return text


def split_host_port(text: str) -> tuple[str, int] | None:
    """``("host", port)`` of ``host:9000``, ``[::1]:9000`` or ``:9000`` (an empty host); None for an endpoint string."""
    found = _HOST_PORT.fullmatch(text)
    if found is None or found[1] in ENDPOINTS:
        return None
    return found[1].strip("[]"), int(found[2])


def _long_secret(text: str) -> str:
    if text and (len(text.encode()) < KEY_BYTES or not text.isprintable()):
        raise ValueError(text)
    return text


def _base_url(text: str) -> str:
    """Without a slash at its end."""
    if text and not (_URL.fullmatch(text) and text.isascii() and not set(text) & set('"<>\\^`{|}#?%@')):
        raise ValueError(text)
    return text.rstrip("/")


def one_of(*words: str) -> Kind:
    """A kind that allows these words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return Kind(read, f"one of {', '.join(words)}", "|".join(words))


LAYOUT = Kind(_region, "files, pool, or the name that a dropin's driver has", "files|pool|NAME")
CATALOG = Kind(
    _catalog, "files, postgresql: or the address of a database such as postgresql://user@host/name", "files|ADDRESS"
)
BLOBS = Kind(
    _blobs,
    "postgresql:, files: and an absolute path, s3: and the name of an --s3-target, rados:POOL[?conf=…&user=…&namespace=…], or nothing",
    "postgresql:|files:PATH|s3:NAME|rados:POOL",
)
S3_TARGET = Kind(
    lambda text: target_of(text) if text else None,
    "NAME=https://KEY:SECRET@host:port/BUCKET[/PREFIX][?region=…], percent-encoded, or nothing",
    "NAME=URL",
)
BOOLEAN = Kind(_boolean, f"one of {', '.join(TRUE + FALSE)}", "true|false")
TEXT = Kind(_text, "printable text that is not empty", "TEXT")
ANY_TEXT = Kind(lambda text: _text(text) if text else "", "printable text, or nothing for any", "TEXT")
FOLDER = Kind(_path, "a directory's path", "PATH")
FILE = Kind(_optional_path, "a PEM file's path, or nothing", "PATH")
CONFIG = Kind(_config, "the path of a configuration file, or nothing", "PATH")
WEBHOOK = Kind(_webhook, "NAME=URL with an http or https URL", "NAME=URL")
ENCRYPTION_KEY = Kind(_encryption_key, "32 characters, or 32 bytes as base64", "KEY")
COUNT = Kind(_whole(1), "a whole number from 1", "NUMBER")
NUMBER = Kind(_whole(0), "a whole number from 0", "NUMBER")
RATE = Kind(_rate, "a number from 0 with up to four decimals, such as 100 or 0.5", "NUMBER")
SHARE = Kind(_share, "a number from 0 to 1, such as 0.01", "0..1")
HOST = Kind(_host, "a name or address, with a port where clients write one, e.g. minio:9000", "NAME")
PREFIX = Kind(_prefix, "a path such as /s3, or nothing", "PATH")
WORKERS = Kind(_workers, "auto (one a core) or a whole number from 1", "auto|NUMBER")
DURATION = Kind(_duration, "a duration such as 30s, 15m, 24h or 1h30m (a plain number is seconds)", "DURATION")
INTERVAL = Kind(_interval, "a duration of at least 10ms, such as 500ms, 1s or 2s", "DURATION")
SIZE = Kind(_size, "a number of bytes, or one with KiB, MiB or GiB", "SIZE")
UMASK = Kind(_umask, "three octal digits such as 027, or nothing", "OCTAL")
REGION = Kind(_region, "a name such as us-east-1 with letters, digits and any of . _ -, or nothing for any", "NAME")
DOMAIN = Kind(_domain, "a domain name, or nothing", "NAME")
EMAIL = Kind(_email, "an e-mail address, or nothing", "EMAIL")
DIRECTORY = Kind(_directory, "an http or https URL", "URL")
LONG_SECRET = Kind(_long_secret, "32 or more printable bytes, or nothing", "SECRET")
BASE_URL = Kind(_base_url, "an http or https URL such as https://s3.example.com, or nothing", "URL")
AUDIT_LOG = Kind(
    lambda text: text if text in ("stdout", "off") else str(_path(text).absolute()),
    "stdout, off, or a file's path",
    "stdout|off|PATH",
)
ADMIN_LISTEN = Kind(
    lambda text: text if text == "off" else _listen(text),
    "off, or :port, host:port, [address]:port or a Twisted endpoint string",
    "PLACE",
)
LISTEN = Kind(
    _listen,
    ":port, host:port, [address]:port or a Twisted endpoint string such as unix:/run/s3.sock, with ports up to 65535",
    "PLACE",
)
