"""Files of environment variables, as shells, ``docker compose`` and systemd read them, for ``geckos3 config from-env``.

They differ in what a lone dollar and a ``#`` without quotes mean: such a line is refused.
"""

import re
from pathlib import Path

from gecko_tw.settings import BadSetting
from gecko_tw.settings.interpolation import BadReference, escaped, has_references

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_PIECE = re.compile(
    r"""'(?P<literal>[^']*)'|"(?P<quoted>(?:[^"\\]|\\.)*)"|\\(?P<sign>.)|(?P<plain>[^'"\\\s]+)|(?P<space>\s+)""",
    re.DOTALL,
)
_MEANT = re.compile(r'\\(["\\`$])|\$\{[^}]*\}|\$')
"""In double quotes and without quotes."""


def read_variables(path: Path) -> dict[str, str]:
    """The variables of a file by name, as texts of a configuration file: with references, and double dollars for dollars.

    :raises BadSetting: what cannot be read, with file and line; no value is told.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "is not UTF-8"
        raise BadSetting(f"{str(path)!r}: {why}") from None
    found = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadSetting(f"{path}:{number}: is no NAME=value")
        try:
            found[match[1]] = _value(match[2])
            has_references(found[match[1]])
        except (ValueError, BadReference) as bad:
            raise BadSetting(f"{path}:{number}: {match[1]}: {bad}") from None
    return found


def _value(text: str) -> str:
    """Raises ValueError."""
    pieces: list[str] = []
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise ValueError("has a quote that is not closed")
        at = piece.end()
        if piece["space"] is not None and text[at : at + 1] == "#":
            raise ValueError("has a `#` after white space: quote the value, and comment in a line of its own")
        pieces.append(_meaning(piece))
    return "".join(pieces)


def _meaning(piece: re.Match[str]) -> str:
    if piece["literal"] is not None:
        return escaped(piece["literal"])
    if piece["sign"] is not None:
        return escaped(piece["sign"])
    return _MEANT.sub(_referring, piece["quoted"] or piece["plain"] or piece["space"] or "")


def _referring(found: re.Match[str]) -> str:
    """Raises ValueError for a dollar that some take for a reference and others for a dollar."""
    if found[1] is not None:
        return escaped(found[1])
    if found[0] == "$":
        raise ValueError("has a `$` outside of single quotes: write '…$…', or ${NAME} for a variable")
    return found[0]
