"""Every operation that botocore's model of S3 has. Their parameters and answers are the model's: dicts of Any."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from twisted.internet.defer import Deferred
from twisted.web.iweb import IBodyProducer

from gecko_tw.client.downloads import Body
from gecko_tw.client.errors import translated
from gecko_tw.client.events import Events
from gecko_tw.client.exchange import Exchange
from gecko_tw.client.pausing import deferred, leaving, run
from gecko_tw.client.sources import SMALL, Outgoing, Source, source
from gecko_tw.pools import Pool

_BOTOCORE = (BotoCoreError, ClientError, ResponseParserError)


class Operations:
    """S3's operations by the names that boto3 has for them, with the same parameters and answers, each as a Deferred.

    ``await operations.put_object(Bucket="photos", Key="cat.jpg", Body=Path("cat.jpg"))``

    A ``Body`` that is sent is bytes, a pathlib.Path, a seekable binary file, or an IBodyProducer; one that comes is a
    :class:`~gecko_tw.client.downloads.Body`.

    :param client: botocore's, with our hooks.
    :param pool: threads for files.
    :param exchange: sends its requests.
    :ivar endpoint: scheme, host and port.
    """

    def __init__(self, client: Any, pool: Pool, exchange: Exchange) -> None:
        self._client, self.pool, self._exchange = client, pool, exchange
        parts = urlsplit(client.meta.endpoint_url)
        self.endpoint = f"{parts.scheme}://{parts.netloc}"

    def __getattr__(self, name: str) -> Callable[..., Deferred[dict[str, Any]]]:
        if name.startswith("_") or name not in self._client.meta.method_to_api_mapping:
            raise AttributeError(f"S3 has no operation {name!r}: they are named as in boto3, e.g. put_object")

        def call(**parameters: Any) -> Deferred[dict[str, Any]]:
            return self.call(name, **parameters)

        return call

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._client.meta.method_to_api_mapping})

    @deferred
    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Asks for an operation.

        :param operation: ``"PutObject"`` or ``"put_object"``.
        :raises S3Error: it was refused, or there was no answer.
        """
        method = self._method(operation)
        model = self._client.meta.service_model.operation_model(self._client.meta.method_to_api_mapping[method])
        name = model.input_shape.serialization.get("payload") if model.has_streaming_input else None
        opened = None
        if name is not None and name in parameters:
            opened = await self._outgoing(parameters[name])
            parameters[name] = opened
        try:
            answer: dict[str, Any] = await self._inside(getattr(self._client, method), **parameters)
            return answer
        finally:
            if isinstance(opened, Outgoing) and opened.source is not None and opened.opened:
                opened.source.close()

    def parameters(self, operation: str) -> set[str]:
        """The names of an operation's parameters, e.g. of ``"UploadPart"``."""
        return set(self._client.meta.service_model.operation_model(operation).input_shape.members)

    def opened(self, body: object) -> Deferred[Source]:
        """What a body is read by.

        :raises TypeError: it is none.
        """
        return leaving(self.pool.run(source, body), lambda found: found.close() if isinstance(body, Path) else None)

    @deferred
    async def presign(self, operation: str, seconds: int, method: str | None, parameters: dict[str, Any]) -> str:
        """A URL that lets whoever has it ask for an operation.

        :param seconds: how long it is good.
        :param method: None for the operation's own HTTP method.
        """
        url: str = await self._inside(
            self._client.generate_presigned_url,
            self._method(operation),
            Params=parameters,
            ExpiresIn=seconds,
            HttpMethod=method,
        )
        return url

    @deferred
    async def presign_post(self, bucket: str, key: str, seconds: int, conditions: dict[str, Any]) -> dict[str, Any]:
        """The URL and fields of a form that uploads an object.

        :param conditions: ``Fields`` and ``Conditions`` as boto3 takes them.
        """
        form: dict[str, Any] = await self._inside(
            self._client.generate_presigned_post, Bucket=bucket, Key=key, ExpiresIn=seconds, **conditions
        )
        return form

    async def pages(self, operation: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        """The answers to a listing, page by page, by ``async for``; the next one is asked for when it is wanted.

        :param operation: e.g. ``"ListObjectsV2"``.
        :param parameters: its own, and ``PaginationConfig`` as boto3 takes it.
        :raises botocore.exceptions.OperationNotPageableError: it has no pages.
        """
        pages = iter(self._client.get_paginator(self._method(operation)).paginate(**parameters))
        while (page := await self._inside(next, pages, None)) is not None:
            yield page

    @deferred
    async def close(self) -> None:
        """Closes idle connections and ends threads."""
        await self._exchange.close()
        self.pool.stopService()

    async def _inside(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Calls something of botocore's when it is its turn, which ends when the answer is read; its exceptions become ours."""
        turns = self._exchange.turns
        await turns.acquire()
        unread: list[Body | Events] = []
        try:
            answer = await run(function, *arguments, **named)
            if isinstance(answer, dict):
                unread += [value for value in answer.values() if isinstance(value, Body | Events)]
            return answer
        except _BOTOCORE as found:
            ours = translated(found, self.endpoint)
            if ours is found:
                raise
            raise ours from found
        finally:
            if unread:
                unread[0].when_free(turns.release)
            else:
                turns.release()

    async def _outgoing(self, body: object) -> Outgoing | bytes:
        """What botocore is given for a body: a few bytes as they are, everything else as something that it does not read."""
        if isinstance(body, bytes | bytearray) and len(body) <= SMALL:
            return bytes(body)
        if IBodyProducer.providedBy(body):
            return Outgoing(producer=body)
        return Outgoing(await self.opened(body), opened=isinstance(body, Path))

    def _method(self, operation: str) -> str:
        method: str = xform_name(operation)
        if method not in self._client.meta.method_to_api_mapping:
            raise ValueError(f"S3 has no operation {operation!r}")
        return method
