"""``/minio/…`` on the S3 port: a request becomes a question to a row, and its values an answer, encrypted where clients expect it."""

import json
from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qsl

from attrs import field, frozen
from twisted.internet.defer import DeferredLock

from gecko_tw.admin.audit import AuditLog, audited, line_of
from gecko_tw.admin.documents import LONGEST, read_json
from gecko_tw.admin.ground import Ground
from gecko_tw.admin.minio.messages import decrypt, encrypt
from gecko_tw.admin.minio.metrics import MinioMetrics
from gecko_tw.admin.minio.refusals import JSON, named, refuse
from gecko_tw.admin.minio.rows import PREFIX, SEALED, MinioRow, MinioRows, Query, Question
from gecko_tw.admin.proving import prove_caller
from gecko_tw.admin.rows import ADMIN
from gecko_tw.callers.signatures.authenticate import Authenticator
from gecko_tw.resources.answers.answer import Answer, Outcome
from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.resources.bodies.streams import read_document
from gecko_tw.resources.call import Call
from gecko_tw.resources.dispatch.operations import Document
from gecko_tw.resources.gates.identity_permits import permit_administration
from gecko_tw.resources.pipeline import Address, Face, serve
from gecko_tw.resources.service import Service
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, Refusal
from gecko_tw.wire.interfaces import IWireRequest

_SECRETS = ("secretKey", "newSecretKey")
"""Members of bodies that no log is told."""

_MOST = 100
"""Parameters of a query."""


@frozen(eq=False)
class MinioFace:
    """A face of the S3 port: see :class:`gecko_tw.resources.dispatch.tree.ServiceResource`.

    :ivar service: authenticates, slows down who fails to, and has the threads.
    :ivar ground: what the rows work on.
    :ivar metrics: answers those who scrape; ``rows`` None where only that is wanted.
    :ivar cipher: encrypting takes 64 MiB of memory: one message at a time.
    """

    service: Service
    rows: MinioRows | None
    ground: Ground
    audit: AuditLog
    metrics: MinioMetrics
    cipher: DeferredLock = field(factory=DeferredLock, init=False)
    authenticator: Authenticator = field(init=False)

    prefix = PREFIX.encode() + b"/"

    @authenticator.default
    def _authenticator(self) -> Authenticator:
        # MinioAdmin names no region unless it is told one.
        return self.service.authenticator.of_any_region()

    def serve(self, request: IWireRequest) -> None:
        """Answers a request whose path begins with the prefix."""
        serve(self.service, request, Address(ADMIN, face=Face(self._operate, refuse)))

    async def _operate(self, call: Call) -> Outcome:
        path = call.head.path[len(PREFIX) :]
        if self.metrics.answers(path):
            return await self.metrics.answer(call, path)
        if self.rows is None:
            raise NotImplemented_(Resource=call.head.path.decode("latin-1"))
        row = self.rows.resolve(call.head.method, path)
        call.operation = row.operation
        try:
            if not row.changes:
                return await self._perform(call, row, [])
            read: list[Json] = []
            return await audited(
                self.service, self.audit, partial(_told, call, row, read), self._perform(call, row, read)
            )
        except Refusal as refusal:
            raise named(row, refusal) from refusal

    async def _perform(self, call: Call, row: MinioRow, read: list[Json]) -> Outcome:
        """
        :param read: is given the body, once it is known to be allowed.
        """
        prove_caller(call, self.authenticator)
        if row.needs is not None:
            permit_administration(call, row.needs)
        query = _query(row, call.head.query)
        body = await self._body(call, row)
        read.append(body)
        question = Question(ground=self.ground, call=call, query=query, body=body)
        if row.stream is not None:
            endless: Outcome = await row.stream(call, question)
            return endless
        values = await self.service.write(row.act, question)
        return await self._answer(call, row, values)

    async def _body(self, call: Call, row: MinioRow) -> Json:
        """Raises InvalidArgument, UndecipherableMessage, MaxMessageLengthExceeded."""
        document = await read_document(call, Document(LONGEST))
        if not row.body:
            return None
        if row.body == SEALED:
            document = await self.cipher.run(self.service.write, decrypt, self._secret(call), document)
        return read_json(document)

    async def _answer(self, call: Call, row: MinioRow, values: Json) -> Answer:
        headers = [(b"Cache-Control", b"no-store")]
        if values is None:
            return Answer(row.status, headers)
        document = json.dumps(values).encode()
        if row.answers == SEALED:
            sealed = await self.cipher.run(self.service.write, encrypt, self._secret(call), document)
            return Answer(row.status, [(b"Content-Type", b"application/octet-stream"), *headers], sealed)
        return Answer(row.status, [JSON, *headers], document)

    def _secret(self, call: Call) -> str:
        """What bodies are encrypted with: the secret of whoever asks; the settings' where nobody proves who that is."""
        identity = call.caller.identity
        return self.ground.settings.secret_key if identity is None else identity.secret


def _told(call: Call, row: MinioRow, read: list[Json], outcome: str) -> str:
    on: Mapping[str, str] = {}
    if read:
        on = {name: ",".join(values) for name, values in _query(row, call.head.query).items() if values != ("",)}
    body = read[-1] if read else None
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in _SECRETS}
    return line_of(call, row.name, on, body, outcome)


def _query(row: MinioRow, raw: bytes) -> Query:
    """The parameters of a request. Raises InvalidArgument for those that the row does not understand."""
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except ValueError:
        raise InvalidArgument("The query is not UTF-8, or too long.", ArgumentName="query") from None
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if name not in row.takes:
            raise InvalidArgument(f"The parameter {name} of {row.name} is not known here.", ArgumentName=name)
        found[name] = (*found.get(name, ()), value)
    return found
