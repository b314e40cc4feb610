"""A client's side of a connection to a NativeSite over a store in memory, without sockets and without waiting."""

from typing import Any

from attrs import frozen

from gecko_tw.native import frames
from gecko_tw.native.frames import Fields, mapping, string
from gecko_tw.native.server.site import NativeSite
from gecko_tw.wire.limits import Limits
from tests.resources.asking import Shop, shop
from tests.wire.peers import Transport

WELCOME = bytes.fromhex("4a41590001000000")
NOT_PROVEN = bytes.fromhex("4a41590001010000")
OTHER_VERSION = bytes.fromhex("4a41590001020000")


@frozen
class Reply:
    """One frame of the server."""

    status: int
    stream: int
    meta: bytes
    data: bytes

    @property
    def fields(self) -> Fields:
        return Fields(self.meta)

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and message."""
        fields = self.fields
        message, code = fields.text(), fields.text()
        return self.status, code, message


class Peer:
    """A client.

    :param pair: sent as the handshake; None to send none.
    """

    def __init__(
        self,
        town: Shop | None = None,
        pair: tuple[str, str] | None = ("key", "secret"),
        limits: Limits | None = None,
        site: NativeSite | None = None,
        **more: Any,
    ) -> None:
        self.shop = town or shop(auth=True, **more)
        self.clock = self.shop.clock
        self.site = site or NativeSite(self.shop.service, self.clock, limits)
        self.channel = self.site.buildProtocol(None)
        self.transport = Transport(self.channel)
        self.channel.makeConnection(self.transport)
        if pair is not None:
            self.send(frames.greeting(*pair))
            self.welcome = self.take()

    def send(self, *pieces: bytes) -> "Peer":
        for piece in pieces:
            if self.transport.connected:
                self.channel.dataReceived(piece)
        return self

    def take(self) -> bytes:
        """What the server has sent since the last time."""
        data = self.transport.value()
        self.transport.clear()
        return data

    def replies(self) -> list[Reply]:
        """The same as whole frames."""
        data, found = self.take(), []
        while data:
            status, stream, meta, length = frames.HEADER.unpack_from(data)
            end = frames.HEADER.size + meta
            assert len(data) >= end + length, "a frame is not whole"
            found.append(Reply(status, stream, data[frames.HEADER.size : end], data[end : end + length]))
            data = data[end + length :]
        return found

    def ask(self, operation: int, *fields: bytes, data: bytes = b"", stream: int = 0) -> Reply:
        """One request and its reply."""
        self.send(frames.frame(operation, b"".join(fields), stream, len(data)) + data)
        (reply,) = self.replies()
        return reply

    def wait(self, seconds: float) -> "Peer":
        self.clock.advance(seconds)
        return self

    @property
    def parted(self) -> bool:
        """Whether the server has closed the connection, or has begun to."""
        return self.transport.disconnecting or self.channel.closing.begun or not self.transport.connected

    def put(self, key: str, data: bytes, bucket: str = "photos", kind: str = "", **metadata: str) -> Reply:
        said = string(kind) + mapping(metadata)
        return self.ask(frames.PUT_OBJECT, string(bucket), string(key), said, data=data)

    def get(self, key: str, bucket: str = "photos") -> Reply:
        return self.ask(frames.GET_OBJECT, string(bucket), string(key))


def town(**more: Any) -> Peer:
    """A client of a server that has a bucket ``photos``."""
    peer = Peer(**more)
    assert peer.welcome == WELCOME
    assert peer.ask(frames.CREATE_BUCKET, string("photos")).status == frames.OK
    return peer
