"""A running daemon asked by its admin API, signed with the key pair of the settings."""

import json
import time
from collections.abc import Mapping
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from gecko_tw.admin.rows import PREFIX
from gecko_tw.admin.table import ROWS
from gecko_tw.callers.signatures.v4 import (
    ALGORITHM,
    TERMINATOR,
    Scope,
    canonical_query,
    canonical_request,
    iso_date,
    sign,
    signing_key,
    string_to_sign,
)
from gecko_tw.settings import Settings
from gecko_tw.wire.head import head_of

TIMEOUT = 60.0
"""Seconds that an answer may take."""

NOTHING: Mapping[str, Any] = {}


class Remote:
    """An Ask.

    :param url: of the daemon's listener for operators.
    :param settings: whose key pair and region sign.
    :raises ValueError: the URL is none.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError(f"--server: {url!r} is not allowed; allowed is such as http://127.0.0.1:9001")
        self._secure, self._host, self._prefix = parts.scheme == "https", parts.netloc, parts.path.rstrip("/")
        self._settings, self._url = settings, url

    # Any: values of JSON.
    def __call__(self, name: str, path: Mapping[str, str] = NOTHING, body: Any = None, **query: Any) -> Any:
        """Raises ValueError with what the daemon says when it refuses, OSError when it cannot be reached."""
        row = ROWS.named(name)
        own = row.path
        for place, value in path.items():
            own = own.replace("{" + place + "}", quote(value, safe=""))
        given = {key: value for key, value in query.items() if value is not None}
        target = self._prefix + PREFIX + own + (f"?{urlencode(given, quote_via=quote)}" if given else "")
        if row.body is None:
            data = b""
        else:
            data = body.encode() if isinstance(body, str) else json.dumps(body if body is not None else {}).encode()
        status, text = self._exchange(row.method, target, data)
        values = _read(text)
        if status >= 400:
            told = values if isinstance(values, dict) else {}
            raise ValueError(str(told.get("message") or f"{self._url} answered {status}"))
        return values

    def _exchange(self, method: str, target: str, data: bytes) -> tuple[int, bytes]:
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(self._host, timeout=TIMEOUT)
        try:
            connection.request(method, target, data or None, self._signed(method, target, data))
            answer: HTTPResponse = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException) as problem:
            raise ValueError(f"{self._url} cannot be asked: {problem or type(problem).__name__}") from problem
        finally:
            connection.close()

    def _signed(self, method: str, target: str, data: bytes) -> dict[str, str]:
        """The headers of a request. Source: S3 API Reference, "Signature Calculations for the Authorization Header"."""
        settings, date, digest = self._settings, iso_date(time.time()), sha256(data).hexdigest()
        scope = Scope(settings.access_key, date[:8], settings.region or "us-east-1", "s3", TERMINATOR)
        headers = {"host": self._host, "x-amz-content-sha256": digest, "x-amz-date": date}
        head = head_of(method, target.encode(), {name.encode(): value.encode() for name, value in headers.items()})
        names = ";".join(headers)
        request = canonical_request(head, canonical_query(head.query), names.encode(), digest.encode())
        key = signing_key(settings.secret_key, scope.day, scope.region, scope.service)
        signature = sign(key, string_to_sign(date, scope, request).encode())
        credential = f"{scope.access_key}/{scope.text}"
        authorization = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        kind = {"content-type": "application/json"} if data else {}
        return {**headers, **kind, "authorization": authorization}


def _read(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
