"""A Twisted client of the native binary protocol: ``client = await connect(reactor, "tcp://127.0.0.1:4444", key, secret)``.

See docs/native.md. Of the server's parts nothing is imported.
"""

from gecko_tw.native.client import Client, connect
from gecko_tw.native.errors import (
    BadRequest,
    BrokenFrame,
    CannotConnect,
    ClientClosed,
    Conflict,
    Cut,
    Forbidden,
    HalfFrame,
    Internal,
    KeyEnded,
    NativeError,
    NotFound,
    NotNative,
    NotProven,
    OtherVersion,
    OversizedMeta,
    Refused,
    TimedOut,
    WrongLength,
)

__all__ = [
    "BadRequest",
    "BrokenFrame",
    "CannotConnect",
    "Client",
    "ClientClosed",
    "Conflict",
    "Cut",
    "Forbidden",
    "HalfFrame",
    "Internal",
    "KeyEnded",
    "NativeError",
    "NotFound",
    "NotNative",
    "NotProven",
    "OtherVersion",
    "OversizedMeta",
    "Refused",
    "TimedOut",
    "WrongLength",
    "connect",
]
