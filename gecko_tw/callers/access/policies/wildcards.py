"""Patterns with ``*`` (any characters) and ``?`` (one character), compiled once to the cheapest test that decides them.

No test goes back: the parts between the stars are looked for from left to right, each once.
"""

from collections.abc import Callable, Sequence
from itertools import groupby

from gecko_tw.callers.access.policies.pieces import ONE, STAR, Piece, Token, exact_text

Test = Callable[[str], bool]


def matcher(tokens: Sequence[Token]) -> Test:
    """The test whether a whole text fits a pattern."""
    pieces = [Piece(piece) for piece in _between_stars(tokens)]
    if len(pieces) == 1:
        piece = pieces[0]
        return piece.text.__eq__ if piece.text is not None else lambda text: piece.is_all(text)
    first, *middle, last = pieces
    middle = [piece for piece in middle if piece.length]
    start, end = first.text, last.text
    if middle or start is None or end is None:
        return _Chain(first, middle, last)
    if not end:
        return lambda text: text.startswith(start)
    least = len(start) + len(end)
    return lambda text: len(text) >= least and text.endswith(end) and text.startswith(start)


def prefix_text(tokens: Sequence[Token]) -> str | None:
    """What a text must begin with when nothing else is asked of it, or None."""
    return exact_text(tokens[:-1]) if tokens and tokens[-1] is STAR else None


def can_begin(tokens: Sequence[Token], start: str) -> bool:
    """Whether some text that begins with ``start`` fits a pattern."""
    units: list[Token] = []
    for token in tokens:
        # Stars in a row are one: else a document full of them would be walked through again and again.
        if token is not STAR or units[-1:] != [STAR]:
            units.extend(token if isinstance(token, str) else (token,))
    reached = _over_stars({0}, units)
    for character in start:
        stepped = set()
        for place in reached:
            unit = units[place] if place < len(units) else None
            if unit is STAR:
                stepped.add(place)
            elif unit is ONE or unit == character:
                stepped.add(place + 1)
        reached = _over_stars(stepped, units)
    return bool(reached)


def _over_stars(places: set[int], units: Sequence[Token]) -> set[int]:
    """The places, and those that are reached from them without a character."""
    found = set()
    for place in places:
        found.add(place)
        while place < len(units) and units[place] is STAR:
            place += 1
            found.add(place)
    return found


def _between_stars(tokens: Sequence[Token]) -> list[list[Token]]:
    pieces: list[list[Token]] = [[]]
    for star, run in groupby(tokens, lambda token: token is STAR):
        if star:
            pieces.append([])
        else:
            pieces[-1].extend(run)
    return pieces


class _Chain:
    """Several parts with stars between them."""

    __slots__ = ("_first", "_last", "_middle")

    def __init__(self, first: Piece, middle: Sequence[Piece], last: Piece) -> None:
        self._first, self._middle, self._last = first, tuple(middle), last

    def __call__(self, text: str) -> bool:
        start, end = self._first.length, len(text) - self._last.length
        if start > end or not (self._first.stands_at(text, 0) and self._last.stands_at(text, end)):
            return False
        for piece in self._middle:
            start = piece.find(text, start, end)
            if start < 0:
                return False
            start += piece.length
        return True
