"""The key ring: keys that wrap data keys, kept as documents beside the buckets and sealed there by the deployment's own secret.

A key has generations. The newest wraps, every one opens: rotating a key costs nothing and makes nothing unreadable.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import frozen
from zope.interface import implementer

from gecko_tw.store.drivers.interfaces import IDocuments
from gecko_tw.store.encryption.data_keys import KMS_KEY, S3_KEY
from gecko_tw.store.encryption.interfaces import IKeyManagement
from gecko_tw.store.encryption.wrapping import KEY_BYTES, CannotUnwrap, unwrap, wrap
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import KeyNotFound

KIND = "keyring"
"""The kind of the ring's documents."""

S3_ROOM, KMS_ROOM = "sse-s3", "kms"
"""Keys of SSE-S3 and of SSE-KMS have one name each for every room."""

_MADE_WHEN_NEEDED = frozenset({S3_KEY, KMS_KEY})


class Sealing(Protocol):
    """What seals the ring's keys: gecko_tw.callers.accounts.sealing.Sealer."""

    def seal(self, plaintext: str, context: str) -> str: ...

    def open(self, sealed: str, context: str) -> str: ...


@implementer(IKeyManagement)
class KeyRing:
    """The keys of one room, shared by all processes of a deployment.

    :param clock: seconds since 1970, written down with every generation.
    """

    def __init__(
        self, documents: IDocuments, sealing: Sealing, room: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._documents = documents
        self._sealing = sealing
        self._room = room
        self._clock = clock
        self._newest: dict[str, tuple[int, str]] = {}
        self._opened: dict[tuple[str, str], bytes] = {}

    def names(self) -> list[str]:
        """The names of all keys there are."""
        start = f"{self._room}/"
        return [name.removeprefix(start) for name, _ in self._documents.all(KIND) if name.startswith(start)]

    def generations(self, key_id: str) -> int:
        """How many generations a key has; 0 when there is no such key."""
        value = self._documents.get(KIND, f"{self._room}/{key_id}")
        return 0 if value is None else len(value["generations"])

    def add(self, key_id: str) -> None:
        """A new key; nothing when there is one of that name."""
        made = self._generation(key_id)
        self._change(key_id, lambda value: value or _with(made, None))

    def rotate(self, key_id: str) -> None:
        """A new generation of a key: what is written from now on is wrapped in it. Raises KeyNotFound."""
        made = self._generation(key_id)

        def rule(value: Mapping[str, Json] | None) -> Mapping[str, Json]:
            if value is None:
                raise KeyNotFound(f"Key '{key_id}' does not exist", KeyId=key_id)
            return _with(made, value)

        self._change(key_id, rule)

    def _change(self, key_id: str, rule: Callable[[Json], Json]) -> None:
        self._documents.change(KIND, f"{self._room}/{key_id}", rule)

    def _generation(self, key_id: str) -> tuple[str, dict[str, Json]]:
        """A new generation's name and what is kept of it."""
        generation = secrets.token_hex(8)
        sealed = self._sealing.seal(secrets.token_hex(KEY_BYTES), self._context(key_id, generation))
        return generation, {"sealed": sealed, "created": int(self._clock())}

    def _context(self, key_id: str, generation: str) -> str:
        return f"{KIND} {self._room} {key_id} {generation}"

    def new_data_key(self, key_id: str, context: str) -> tuple[bytes, str]:
        generation = self._newest_of(key_id)
        data_key = secrets.token_bytes(KEY_BYTES)
        wrapped = wrap(self._key(key_id, generation), data_key, f"{key_id} {context}")
        return data_key, f"{generation}:{wrapped}"

    def _newest_of(self, key_id: str) -> str:
        revision = self._documents.revision()
        known = self._newest.get(key_id)
        if known is not None and known[0] == revision:
            return known[1]
        value = self._documents.get(KIND, f"{self._room}/{key_id}")
        if value is None:
            if key_id not in _MADE_WHEN_NEEDED:
                raise KeyNotFound(f"Key '{key_id}' does not exist", KeyId=key_id)
            self.add(key_id)
            value = self._documents.get(KIND, f"{self._room}/{key_id}")
            revision = self._documents.revision()
        newest: str = value["newest"]
        self._newest[key_id] = revision, newest
        return newest

    def _key(self, key_id: str, generation: str) -> bytes:
        key = self._opened.get((key_id, generation))
        if key is None:
            value = self._documents.get(KIND, f"{self._room}/{key_id}")
            if value is None or generation not in value["generations"]:
                raise KeyNotFound(f"Key '{key_id}' does not exist", KeyId=key_id)
            sealed = value["generations"][generation]["sealed"]
            key = bytes.fromhex(self._sealing.open(sealed, self._context(key_id, generation)))
            self._opened[key_id, generation] = key
        return key

    def open_data_key(self, key_id: str, sealed: str, context: str) -> bytes:
        generation, _, wrapped = sealed.partition(":")
        try:
            return unwrap(self._key(key_id, generation), wrapped, f"{key_id} {context}")
        except CannotUnwrap:
            raise KeyNotFound(f"Key '{key_id}' is not the one that this was encrypted with", KeyId=key_id) from None


def _with(made: tuple[str, dict[str, Json]], value: Mapping[str, Json] | None) -> dict[str, Json]:
    """A key's document with one generation more."""
    older = {} if value is None else value["generations"]
    return {"newest": made[0], "generations": {**older, made[0]: made[1]}}


@frozen
class Rings:
    """All keys of a deployment, as an operator sees them: by the names of SSE-KMS, and one without a name for SSE-S3."""

    s3: KeyRing
    kms: KeyRing

    def values(self) -> list[dict[str, Json]]:
        """Name and number of generations of each key; the name of the key of SSE-S3 is None."""
        found = [(None, self.s3, name) for name in self.s3.names()] + [
            (name, self.kms, name) for name in self.kms.names()
        ]
        return [{"name": shown, "generations": ring.generations(name)} for shown, ring, name in found]

    def add(self, name: str) -> str:
        """Adds a key for SSE-KMS; says what was done."""
        if name in self.kms.names():
            return f"{name} is there already"
        self.kms.add(name)
        return f"{name} is added"

    def rotate(self, name: str | None) -> str:
        """A new generation of a key, without a name of that of SSE-S3; says what was done. Raises KeyNotFound."""
        if name is not None:
            self.kms.rotate(name)
            return f"{name} has a new generation"
        if self.s3.names():
            self.s3.rotate(S3_KEY)
        else:
            self.s3.add(S3_KEY)
        return "the key of SSE-S3 has a new generation"


def rings_of(documents: IDocuments, sealing: Sealing) -> Rings:
    """The rings that are kept in documents."""
    return Rings(KeyRing(documents, sealing, S3_ROOM), KeyRing(documents, sealing, KMS_ROOM))
