"""``${VAR}`` and ``${VAR:-default}`` in the texts of a configuration file. Pure."""

import re
from collections.abc import Mapping

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

    def piece(match: re.Match[str]) -> str:
        inside, closed = match[1], match[2]
        if inside is None:
            return "$"
        name, colon, default = inside.partition(":-")
        if not closed:
            raise BadReference("`${` has no `}`; write `$$` for a dollar")
        if _NAME.fullmatch(name) is None:
            if _POLICY_VARIABLE.fullmatch(inside) is None:
                raise BadReference("`${…}` holds no name of an environment variable; write `$$` for a dollar")
            return match[0]
        if name in environment:
            return environment[name]
        if not colon:
            raise BadReference(f"the environment variable {name} is not set; ${{{name}:-…}} would give it a default")
        return default

    return _PIECE.sub(piece, text)
