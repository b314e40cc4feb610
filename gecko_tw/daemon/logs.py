"""What is written where: a line for each request to standard output, messages to standard error.

Both go out with one system call a line, so that lines of several processes on one pipe or file never mix.
"""

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from attrs import frozen
from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    formatTime,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from gecko_tw.resources.access_logs.entries import AccessEntry, json_line, text_line

STDOUT, STDERR = 1, 2
LONGEST = 4096
"""PIPE_BUF on Linux: a line of up to so many bytes reaches a pipe in one piece (pipe(7))."""

PACKAGE = "gecko_tw"
_LEVELS = (
    (logging.CRITICAL, LogLevel.critical),
    (logging.ERROR, LogLevel.error),
    (logging.WARNING, LogLevel.warn),
    (logging.INFO, LogLevel.info),
    (logging.NOTSET, LogLevel.debug),
)
_QUIET_LEVEL = LogLevel.warn
_QUIET = ("twisted", "log_legacy")
"""Namespaces whose information is of interest to nobody but who debugs this program."""


def write_line(fileno: int, line: str) -> None:
    """One line in one write. A reader that is gone or a full disk must not stop the daemon."""
    try:
        os.write(fileno, line.encode("utf-8", "backslashreplace") + b"\n")
    except OSError:
        return


@implementer(ILogObserver)
@frozen
class Messages:
    """Writes log events as lines.

    :ivar style: ``"json"``, or anything else for text.
    """

    style: str
    fileno: int = STDERR

    def __call__(self, event: LogEvent) -> None:
        write_line(self.fileno, as_json(event) if self.style == "json" else as_text(event))


def as_text(event: LogEvent) -> str:
    """``2026-01-31T12:00:00+0000 warn: message``; the level is left out for information."""
    level = event.get("log_level", LogLevel.info)
    name = "" if level is LogLevel.info else f"{level.name}: "
    text = f"{formatTime(event.get('log_time'))} {name}{formatEvent(event)}"
    return f"{text}\n{_traceback(event)}" if "log_failure" in event else text


def as_json(event: LogEvent) -> str:
    """One JSON object: timestamp, level, logger, message and, of a failure, its traceback."""
    record = {
        "timestamp": datetime.fromtimestamp(event.get("log_time", 0), UTC).isoformat(timespec="milliseconds"),
        "level": event.get("log_level", LogLevel.info).name,
        "logger": event.get("log_namespace", ""),
        "message": formatEvent(event),
    }
    if "log_failure" in event:
        record["traceback"] = _traceback(event)
    return json.dumps(record, ensure_ascii=False)


def _traceback(event: LogEvent) -> str:
    return str(event["log_failure"].getTraceback()).rstrip()


def observer(level: str, style: str) -> ILogObserver:
    """What receives all messages of the process.

    :param level: the least level: debug, info, warn, error or critical. Twisted's own information shows from debug on.
    :param style: the setting ``log_format``.
    """
    least = LogLevel.levelWithName(level)
    wanted = LogLevelFilterPredicate(defaultLogLevel=least)
    if least is not LogLevel.debug:
        for namespace in _QUIET:
            wanted.setLogLevelForNamespace(namespace, max(least, _QUIET_LEVEL, key=_rank))
    return FilteringLogObserver(Messages(style), [wanted])


def _rank(level: Any) -> int:
    return [LogLevel.debug, LogLevel.info, LogLevel.warn, LogLevel.error, LogLevel.critical].index(level)


class Bridge(logging.Handler):
    """Hands on what code without Twisted tells Python's own logging."""

    def emit(self, record: logging.LogRecord) -> None:
        level = next(level for number, level in _LEVELS if record.levelno >= number)
        failure = {"log_failure": Failure(record.exc_info[1])} if record.exc_info and record.exc_info[1] else {}
        Logger(namespace=record.name).emit(level, "{text}", text=record.getMessage(), **failure)


def bridge() -> None:
    """From now on Python's logging of this package goes where Twisted's goes."""
    ours = logging.getLogger(PACKAGE)
    if not any(isinstance(one, Bridge) for one in ours.handlers):
        ours.addHandler(Bridge())
        ours.setLevel(logging.DEBUG)
        ours.propagate = False


class RequestLog:
    """Writes a line for each request: called with every AccessEntry.

    :param style: ``"text"``, or anything else for GeckoS3's JSON.
    :param write: called with each line; standard output when None.
    """

    def __init__(self, style: str, write: Callable[[str], object] | None = None) -> None:
        self._line = text_line if style == "text" else json_line
        self._write = write or partial(write_line, STDOUT)

    def __call__(self, entry: AccessEntry) -> None:
        line = self._line(entry)
        if len(line) >= LONGEST // 4 and len(line.encode("utf-8", "backslashreplace")) >= LONGEST:
            line = self._line(_shortened(entry))
        self._write(line)


def _shortened(entry: AccessEntry) -> AccessEntry:
    """An entry whose line fits: a byte of a target or a message can become six in JSON."""
    longest = LONGEST // 16
    return entry._replace(target=entry.target[:longest] + b"...", error=entry.error[:longest])
