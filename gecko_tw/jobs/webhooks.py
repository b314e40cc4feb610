"""Events by HTTP: each is a POST of AWS's JSON to a URL that the settings name."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.web.client import Agent, HTTPConnectionPool, ResponseFailed, ResponseNeverReceived
from zope.interface import implementer

from gecko_tw.jobs.interfaces import INotificationSink

TIMEOUT = 30.0
"""Seconds that a receiver may take to answer."""


class NotTaken(OSError):
    """A receiver did not take an event. Its text says why."""


@implementer(INotificationSink)
class Webhooks:
    """Delivers to ``arn:minio:sqs::NAME:webhook``: any ARN that ends in a known name and the word ``webhook``.

    :param urls: by name. A name and a password in one are sent as HTTP's Basic authentication (RFC 7617).
    """

    name = "webhooks"

    # Any: Twisted's reactor is whatever interfaces it provides.
    def __init__(self, reactor: Any, urls: Mapping[str, str]) -> None:
        self._places = {name: _place(url) for name, url in urls.items()}
        self._client = HTTPClient(Agent(reactor, connectTimeout=TIMEOUT, pool=HTTPConnectionPool(reactor)))

    def takes(self, target: str) -> bool:
        return self._name(target) in self._places

    def deliver(self, target: str, body: bytes) -> "Deferred[None]":
        """Fails with NotTaken unless the receiver answers with a 2xx."""
        url, login = self._places[self._name(target)]
        headers: dict[bytes | str, bytes | str] = {"Content-Type": "application/json"}
        sent = self._client.post(url, data=body, headers=headers, auth=login, timeout=TIMEOUT)
        return sent.addCallbacks(self._answered, self._failed)

    def _name(self, target: str) -> str:
        fields = target.split(":")
        return fields[-2] if target.startswith("arn:") and len(fields) == 6 and fields[-1] == "webhook" else ""

    def _answered(self, response: Any) -> Any:
        if response.code // 100 != 2:
            raise NotTaken(f"the receiver answered {response.code}")
        return response.content().addCallbacks(lambda _: None, self._failed)

    def _failed(self, failure: Any) -> None:
        failure.trap(ConnectError, ConnectingCancelledError, ResponseFailed, ResponseNeverReceived, OSError)
        raise NotTaken(failure.getErrorMessage() or type(failure.value).__name__) from failure.value


def _place(url: str) -> tuple[str, tuple[str, str] | None]:
    """A URL without name and password, and those."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    name, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=host)), (unquote(name), unquote(password)) if at else None
