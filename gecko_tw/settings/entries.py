"""A YAML file as entries that know their line, so that whatever is wrong with one can be said with its place.

Scalars keep the text they were written with: ``012345678901`` stays an account id, ``2012-10-17`` a policy's version, ``no`` a name.
Only ``true``, ``false``, ``null``, whole numbers and decimal fractions are more than texts, as in YAML 1.2. No message holds a
value: it might be a secret.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import yaml
from attrs import evolve, frozen

from gecko_tw.settings import BadSetting
from gecko_tw.settings.interpolation import BadReference, has_references, interpolate

MOST_ENTRIES = 100_000
"""Entries of a file: aliases of aliases make a few lines as large as anybody likes."""

_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FRACTION = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")


@frozen(repr=False)
class Entry:
    """One value of the file.

    :ivar place: ``FILE:LINE``.
    :ivar path: the keys that lead to it, with dots.
    :ivar value: a text, a tuple of entries, or a dict of entries.
    :ivar bare: whether a text was written without quotes, so that it may be a number or a word such as ``true``.
    :ivar filled: whether a text has the value of a variable in it, which might be a secret.
    """

    place: str
    path: str
    value: "str | tuple[Entry, ...] | dict[str, Entry]"
    bare: bool = False
    filled: bool = False

    def refusal(self, why: str) -> BadSetting:
        """What to raise about it."""
        return BadSetting(f"{self.place}: {self.path}: {why}" if self.path else f"{self.place}: {why}")

    @property
    def empty(self) -> bool:
        """Whether nothing was written, or ``null``."""
        return self.bare and isinstance(self.value, str) and self.value in _NULLS

    @property
    def confidential(self) -> bool:
        """Whether the value of a variable is in it or anywhere below it."""
        inside = (
            self.value.values() if isinstance(self.value, dict) else self.value if isinstance(self.value, tuple) else ()
        )
        return self.filled or any(entry.confidential for entry in inside)

    def text(self) -> str:
        """The text as it was written. Raises BadSetting."""
        if not isinstance(self.value, str) or self.empty:
            raise self.refusal("must be a text")
        return self.value

    def whole(self, least: int = 0) -> int:
        """A whole number. Raises BadSetting."""
        if not isinstance(self.value, str) or not _WHOLE.fullmatch(self.value) or int(self.value) < least:
            raise self.refusal(f"must be a whole number from {least}")
        return int(self.value)

    def flag(self) -> bool:
        """True or false. Raises BadSetting."""
        if not isinstance(self.value, str) or self.value not in _WORDS:
            raise self.refusal("must be true or false")
        return _WORDS[self.value]

    def word(self, *allowed: str) -> str:
        """One of these words, in any case; returned as spelled here. Raises BadSetting."""
        found = [one for one in allowed if isinstance(self.value, str) and self.value.lower() == one.lower()]
        if not found:
            raise self.refusal(f"must be one of {', '.join(allowed)}")
        return found[0]

    def items(self) -> "tuple[Entry, ...]":
        """The entries of a list. Raises BadSetting."""
        if self.empty:
            return ()
        if not isinstance(self.value, tuple):
            raise self.refusal("must be a list")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """The texts of a list, or one text alone. Raises BadSetting."""
        return (
            (self.value,)
            if isinstance(self.value, str) and not self.empty
            else tuple(one.text() for one in self.items())
        )

    def named(self) -> "dict[str, Entry]":
        """The entries of a mapping whose keys are names. Raises BadSetting."""
        if self.empty:
            return {}
        if not isinstance(self.value, dict):
            raise self.refusal("must be a mapping")
        return self.value

    def keys(self, *allowed: str) -> "dict[str, Entry]":
        """The entries of a mapping that has these keys only; the empty ones are left out. Raises BadSetting."""
        found = self.named()
        for key, entry in found.items():
            if key not in allowed:
                raise unknown(entry, key, allowed)
        return {key: entry for key, entry in found.items() if not entry.empty}

    def plain(self) -> Any:  # a value of JSON
        """The value as JSON has it."""
        if isinstance(self.value, dict):
            return {key: entry.plain() for key, entry in self.value.items()}
        if isinstance(self.value, tuple):
            return [entry.plain() for entry in self.value]
        return _scalar(self.value) if self.bare else self.value


def unknown(entry: Entry, key: str, allowed: Iterable[str]) -> BadSetting:
    """What to raise about a key that means nothing, with the most alike of those that mean something."""
    words = sorted(allowed)
    near = get_close_matches(key, words, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return evolve(entry, path=entry.path.rpartition(".")[0]).refusal(
        f"unknown key {key!r}; {hint}allowed are {', '.join(words)}"
    )


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text in _NULLS:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text


def _unless_telling(quoted: re.Match[str]) -> str:
    """The library quotes pieces of the file, which might be pieces of a secret: signs and names of its own are none."""
    inside = quoted[0][1:-1]
    telling = re.fullmatch(r"<[a-z -]+>", inside) or (not inside.isalnum() and len(inside.removeprefix("\\")) == 1)
    return quoted[0] if telling else "…"


def read_yaml(file: str, text: str, environment: Mapping[str, str] | None) -> Entry:
    """The one document of a file.

    :param file: its name in messages.
    :param environment: None leaves values as they are written, references to variables and double dollars included.
    :raises BadSetting: it is no YAML, has a key twice, a tag, or refers to a variable that is not set.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + 1 if mark else 1
        why = _QUOTED.sub(_unless_telling, problem.problem or "cannot be read")
        raise BadSetting(f"{file}:{line}: is no YAML: {why}") from None
    except yaml.YAMLError:
        raise BadSetting(f"{file}:1: is no YAML: it has characters that are not allowed") from None
    if node is None:
        return Entry(f"{file}:1", "", {})
    return _Reader(file, environment).entry(node, "")


class _Reader:
    """Turns nodes into entries."""

    def __init__(self, file: str, environment: Mapping[str, str] | None) -> None:
        self._file, self._environment = file, environment
        self._within: list[int] = []
        self._count = 0

    def entry(self, node: yaml.Node, path: str, line: int = 0) -> Entry:
        place = f"{self._file}:{line or node.start_mark.line + 1}"
        found = Entry(place, path, "")
        self._count += 1
        if self._count > MOST_ENTRIES:
            raise found.refusal("the file has too many entries, each mention of an alias counted")
        if not node.tag.startswith("tag:yaml.org,2002:"):
            raise found.refusal("tags are not allowed")
        if isinstance(node, yaml.ScalarNode):
            text, filled = self._text(node, found)
            # What a variable holds is never nothing: an empty one is an empty text.
            return evolve(found, value=text, bare=node.style is None and not (filled and text in _NULLS), filled=filled)
        if id(node) in self._within:
            raise found.refusal("refers to itself")
        self._within.append(id(node))
        value = self._mapping(node, path) if isinstance(node, yaml.MappingNode) else tuple(self._list(node, path))
        self._within.pop()
        return evolve(found, value=value)

    def _text(self, node: yaml.ScalarNode, found: Entry) -> tuple[str, bool]:
        """The text, and whether a variable is or would be in it."""
        try:
            if self._environment is None:
                return node.value, has_references(node.value)
            text = interpolate(node.value, self._environment)
            return text, text != node.value
        except BadReference as bad:
            raise found.refusal(str(bad)) from None

    def _list(self, node: Any, path: str) -> Iterator[Entry]:
        return (self.entry(child, f"{path}[{number}]") for number, child in enumerate(node.value))

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            here = Entry(f"{self._file}:{line}", path, "")
            if not isinstance(key_node, yaml.ScalarNode):
                raise here.refusal("a key must be a text")
            key, _ = self._text(key_node, here)
            if key in found:
                raise here.refusal(
                    f"the key {key!r} is there twice, first in line {found[key].place.rpartition(':')[2]}"
                )
            found[key] = self.entry(value_node, f"{path}.{key}" if path else key, line)
        return found
