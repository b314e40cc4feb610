"""``${VAR}`` and ``${VAR:-default}`` in the texts of a configuration file: replaced, or kept for a file of variables. Pure."""

import re
import shlex
from collections.abc import Callable, Mapping

_PIECE = re.compile(r"\$\$|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_POLICY_VARIABLE = re.compile(r"[*?$]|[A-Za-z][A-Za-z0-9-]*:[A-Za-z].*", re.DOTALL)


class BadReference(ValueError):
    """A text refers to a variable that cannot be put in. Its text says why, and holds nothing of the text but a variable's name."""


def interpolate(text: str, environment: Mapping[str, str]) -> str:
    """The text with variables put in.

    ``$$`` is a dollar; a default counts only while the variable is unset, an empty one is empty. Policy variables such as
    ``${aws:username}`` and ``${*}`` cannot be names of environment variables and stay.

    :raises BadReference: an unset variable without a default, a name that is none, or a brace that is not closed.
    """

    def piece(name: str, reference: str, default: str | None) -> str:
        if name in environment:
            return environment[name]
        if default is None:
            raise BadReference(f"the environment variable {name} is not set; ${{{name}:-…}} would give it a default")
        return default

    return _replaced(text, piece)


def escaped(text: str) -> str:
    """A text whose dollars are dollars."""
    return text.replace("$", "$$")


def has_references(text: str) -> bool:
    """Whether a text refers to a variable. Raises BadReference."""
    found: list[str] = []

    def note(name: str, _reference: str, _default: str | None) -> str:
        found.append(name)
        return ""

    _replaced(text, note)
    return bool(found)


def only_references(text: str) -> bool:
    """Whether variables say everything, so that the text holds no secret itself. Raises BadReference."""
    left = _replaced(text, lambda name, reference, default: "" if default is None else default)
    return left == "" and has_references(text)


def shell_word(text: str) -> str:
    """The text as a word of a shell, or of a file of variables, where its references stand for the same. Raises BadReference."""
    if not has_references(text):
        return shlex.quote(interpolate(text, {}))
    quoted = re.sub(r'["\\`]', r"\\\g<0>", text)
    return '"' + _replaced(quoted, lambda name, reference, default: reference, "\\$") + '"'


def _replaced(text: str, of: Callable[[str, str, str | None], str], dollar: str = "$") -> str:
    """The text with each reference replaced by ``of(name, reference, default)`` and each ``$$`` by a dollar. Raises BadReference."""

    def piece(match: re.Match[str]) -> str:
        inside, closed = match[1], match[2]
        if inside is None:
            return dollar
        name, colon, default = inside.partition(":-")
        if not closed:
            raise BadReference("`${` has no `}`; write `$$` for a dollar")
        if _NAME.fullmatch(name) is None:
            if _POLICY_VARIABLE.fullmatch(inside) is None:
                raise BadReference("`${…}` holds no name of an environment variable; write `$$` for a dollar")
            return dollar + match[0][1:]
        return of(name, match[0], default if colon else None)

    return _PIECE.sub(piece, text)
