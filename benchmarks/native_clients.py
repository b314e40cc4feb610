"""`python -m benchmarks.native_clients`: our Twisted client beside Twisted's own HTTP client, which signs each request, in short turns."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import click
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults, succeed
from twisted.internet.task import react
from twisted.web.client import Agent, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from benchmarks.native import BUCKET, PAIR, compare, processor, serving
from benchmarks.signing import Signer, path_of
from gecko_tw.native import connect

Ask = Callable[[int], Awaitable[object]]


@implementer(IBodyProducer)
class Whole:
    """A body that is there."""

    def __init__(self, body: bytes) -> None:
        self._body, self.length = body, len(body)

    def startProducing(self, consumer: Any) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """It is written at once."""

    def resumeProducing(self) -> None:
        """It is written at once."""

    def stopProducing(self) -> None:
        """It is written at once."""


class OverHttp:
    """Asks with Twisted's Agent on kept connections."""

    def __init__(self, reactor: Any, port: int, connections: int, body: bytes) -> None:
        self._pool = HTTPConnectionPool(reactor)
        self._pool.maxPersistentPerHost = connections
        self._agent = Agent(reactor, pool=self._pool)
        self._signer, self._body = Signer(*PAIR, f"127.0.0.1:{port}"), body
        self._url = f"http://127.0.0.1:{port}"

    async def _ask(self, method: str, number: int, body: bytes) -> bytes:
        path = path_of(BUCKET, f"key-{number}")
        signed = self._signer.headers(method, path, payload=hashlib.sha256(body).hexdigest())
        headers = Headers({name: [value] for name, value in signed.items()})
        producer = Whole(body) if body else None
        response = await self._agent.request(method.encode(), (self._url + path).encode(), headers, producer)
        found: bytes = await readBody(response)
        assert response.code == 200, found
        return found

    async def put(self, number: int) -> None:
        await self._ask("PUT", number, self._body)

    async def get(self, number: int) -> None:
        assert len(await self._ask("GET", number, b"")) == len(self._body)

    def close(self) -> Deferred[None]:
        return self._pool.closeCachedConnections()


async def turn(ask: Ask, connections: int, seconds: float, process: int) -> tuple[float, float]:
    """As that of benchmarks.native."""
    answered, used, begun = 0, processor(process), time.perf_counter()
    end = begun + seconds

    async def loop(number: int) -> None:
        nonlocal answered
        while time.perf_counter() < end:
            await ask(number)
            answered += 1

    await gatherResults([ensureDeferred(loop(number)) for number in range(connections)])
    return answered / (time.perf_counter() - begun), (processor(process) - used) / answered * 1e6


async def measure(reactor: Any, ports: tuple[int, int], process: int, plan: tuple[int, float, int, int]) -> None:
    turns, seconds, size, connections = plan
    body = bytes(size)
    over_http = OverHttp(reactor, ports[0], connections, body)
    native = await connect(reactor, f"tcp:127.0.0.1:{ports[1]}", *PAIR, size=connections)

    async def put(number: int) -> None:
        await native.put(BUCKET, f"key-{number}", body)

    async def get(number: int) -> None:
        _info, found = await native.get(BUCKET, f"key-{number}")
        assert len(found) == size

    for verb, asks in {"PUT": (put, over_http.put), "GET": (get, over_http.get)}.items():
        rounds = [[await turn(ask, connections, seconds, process) for ask in asks] for _ in range(turns)]
        compare(verb, ("native", "HTTP, signed headers"), rounds)
    await native.close()
    await over_http.close()


@click.command()
@click.option("--turns", default=20, show_default=True, help="Of each load, one after the other.")
@click.option("--seconds", default=0.5, show_default=True, help="Length of a turn.")
@click.option("--size", default=4096, show_default=True, help="Bytes of an object.")
@click.option("--connections", default=16, show_default=True)
@click.option("--option", "options", multiple=True, help="A further option of the daemon, e.g. --layout=pool.")
def main(turns: int, seconds: float, size: int, connections: int, options: tuple[str, ...]) -> None:
    """Compares GET and PUT of two Twisted clients."""
    with serving(options) as (ports, process):
        plan = (turns, seconds, size, connections)
        react(lambda reactor: ensureDeferred(measure(reactor, ports, process, plan)))


if __name__ == "__main__":
    main()
