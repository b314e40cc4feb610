"""What patterns are made of, and the parts of them that have no ``*``: a fixed number of characters, some of them any."""

import re
from collections.abc import Sequence
from enum import Enum


class Wild(Enum):
    """A wildcard; a literal text is an ordinary string."""

    STAR = "*"
    ONE = "?"


STAR, ONE = Wild.STAR, Wild.ONE
Token = str | Wild

_FEW = 8
_SHORT = 64


def exact_text(tokens: Sequence[Token]) -> str | None:
    """The only text that fits a pattern, or None when others may."""
    texts = [token for token in tokens if isinstance(token, str)]
    return "".join(texts) if len(texts) == len(tokens) else None


class Piece:
    """A part without stars.

    :ivar text: the part itself when it has no wildcard, else None.
    :ivar length: its characters.
    """

    __slots__ = ("_few", "_shape", "_signs", "length", "text")

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.text = exact_text(tokens)
        self.length = sum(len(token) if isinstance(token, str) else 1 for token in tokens)
        if self.text is not None:
            return
        # Literals and dots only: the expression cannot repeat anything, so it cannot backtrack.
        shape = "".join(re.escape(token) if isinstance(token, str) else "." for token in tokens)
        self._shape = re.compile(shape, re.DOTALL)
        units = [unit for token in tokens for unit in (token if isinstance(token, str) else (None,))]
        self._signs = [(place, sign) for place, sign in enumerate(units) if sign is not None]
        self._few = self.length > _SHORT and len({sign for _, sign in self._signs}) <= _FEW

    def is_all(self, text: str) -> bool:
        """Whether a text is this and nothing else."""
        return len(text) == self.length and self.stands_at(text, 0)

    def stands_at(self, text: str, place: int) -> bool:
        """Whether it stands at a place of a text."""
        if self.text is not None:
            return text.startswith(self.text, place)
        return self._shape.match(text, place) is not None

    def find(self, text: str, start: int, end: int) -> int:
        """Where it stands first between two places, or -1."""
        if self.text is not None:
            return text.find(self.text, start, end)
        # The shape is tried at every place: slow only for long ones of few characters, in texts of the same.
        if self._few and text.isascii():
            return self._find_by_bits(text, start, end)
        found = self._shape.search(text, start, end)
        return -1 if found is None else found.start()

    def _find_by_bits(self, text: str, start: int, end: int) -> int:
        """The same for all places at once: a bit for each, cleared by whatever character does not fit there."""
        if end - start < self.length:
            return -1
        backwards = text[start:end][::-1].encode()
        where: dict[str, int] = {}
        left = (1 << (end - start - self.length + 1)) - 1
        for place, sign in self._signs:
            if sign not in where:
                where[sign] = _marks(backwards, sign)
            left &= where[sign] >> place
            if not left:
                return -1
        return start + (left & -left).bit_length() - 1


def _marks(backwards: bytes, sign: str) -> int:
    """A bit for each place of a character, counted from the end."""
    if not sign.isascii():
        return 0
    table = bytearray(b"0" * 256)
    table[ord(sign)] = ord("1")
    return int(backwards.translate(bytes(table)), 2)
