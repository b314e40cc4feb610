"""Bytes that have come and are not used yet, in however small pieces they came."""


class Buffer:
    """What is added is copied a fixed number of times, and not again with each piece behind it.

    :ivar data: everything added and not taken; of one piece as it came, of several a bytearray that grows.
    """

    __slots__ = ("data",)

    def __init__(self) -> None:
        self.data: bytes | bytearray = b""

    def add(self, data: bytes) -> None:
        held = self.data
        if not held:
            self.data = data
        elif isinstance(held, bytearray):
            held += data
        else:
            self.data = bytearray(held)
            self.data += data

    def take(self) -> bytes:
        """All of it."""
        data, self.data = self.data, b""
        return bytes(data)

    def cut(self, size: int) -> bytes:
        """The first so many bytes, which are there; what is behind them stays."""
        data = self.data
        self.data = b"" if size == len(data) else data[size:]
        return bytes(data[:size])
