"""The audit log: a line of JSON for each change that was asked for by the admin API, whatever became of it, and never a secret."""

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import frozen
from twisted.logger import Logger

from gecko_tw.admin.rows import Row
from gecko_tw.callers.accounts.identities import Identity
from gecko_tw.resources.answers.answer import Outcome
from gecko_tw.resources.call import Call
from gecko_tw.resources.service import Service
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import Refusal

LONGEST = 2048
"""Characters of what was asked for, as JSON, beyond which only the names of its members are told: a line is written in one piece."""

STDOUT, OFF = "stdout", "off"

_NAMELESS = {"open": "everybody: authentication is off", "token": "whoever has the admin token"}

Write = Callable[[str], None]

_log = Logger()


def line_of(call: Call, name: str, on: Mapping[str, str], body: Json, outcome: str) -> str:
    """Who asked, from where, for what, and what became of it.

    :param name: of the row; ``on`` what it is about.
    :param body: as it was found to be allowed, None before, and without secrets.
    :param outcome: ``ok``, or the code of the refusal.
    """
    told: dict[str, Any] = {
        "timestamp": f"{datetime.fromtimestamp(call.service.clock.seconds(), UTC):%Y-%m-%dT%H:%M:%SZ}",
        "audit": name,
        "request_id": call.request_id,
        "who": _NAMELESS.get(call.caller.kind) or _who(call.caller.identity),
        "client_ip": call.address,
        "outcome": outcome,
    }
    if on:
        told["on"] = dict(on)
    if body is not None:
        told["asked"] = _short(body)
    return json.dumps(told)


def _who(identity: Identity | None) -> Json:
    if identity is None:
        return None
    who = {"access_key": identity.access_key, "arn": identity.principal.arn}
    return {**who, "parent": identity.parent} if identity.parent else who


def without_secrets(row: Row, body: Json) -> Json:
    """A body without the members that its schema says are only written, as OpenAPI calls them."""
    properties = (row.body or {}).get("properties", {})
    return {name: value for name, value in body.items() if not properties.get(name, {}).get("writeOnly")}


def _short(body: Json) -> Json:
    return body if len(json.dumps(body)) <= LONGEST else {"members": sorted(body)}


@frozen
class AuditLog:
    """Where the lines go.

    :ivar place: ``stdout``, ``off``, or the path of a file that lines are added to. It is opened for each: one that was moved away is
        made anew.
    :ivar out: writes a line to standard output.
    """

    place: str
    out: Write

    def write(self, line: str) -> None:
        """Writes a line; blocks. Raises OSError when it cannot be written."""
        if self.place == OFF:
            return
        if self.place == STDOUT:
            self.out(line)
            return
        fileno = os.open(self.place, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fileno, line.encode() + b"\n")
        finally:
            os.close(fileno)


async def audited(
    service: Service, log: AuditLog, line: Callable[[str], str], performing: Awaitable[Outcome]
) -> Outcome:
    """The outcome of a change, whose line is written whatever becomes of it.

    :param line: makes it, of ``ok`` or the code of the refusal.
    """
    outcome = "InternalError"
    try:
        answer = await performing
        outcome = "ok"
        return answer
    except Refusal as refusal:
        outcome = refusal.code
        raise
    finally:
        told = line(outcome)
        try:
            await service.write(log.write, told)
        except OSError as problem:
            _log.error("the audit log cannot be written ({problem}): {line}", problem=str(problem), line=told)
