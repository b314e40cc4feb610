"""Texts of a policy with wildcards and variables: ``home/${aws:username}/*``, and sets of them that one text is held against.

What a variable stands for is always literal, even when it contains ``*``. Source: IAM User Guide, "IAM policy elements: Variables and
tags".
"""

from collections.abc import Iterable

from attrs import field, frozen

from gecko_tw.callers.access.policies.condition_keys import condition_key
from gecko_tw.callers.access.policies.context import RequestContext
from gecko_tw.callers.access.policies.pieces import ONE, STAR, Token, exact_text
from gecko_tw.callers.access.policies.refusals import malformed
from gecko_tw.callers.access.policies.wildcards import Test, matcher, prefix_text

_WILD = {"*": STAR, "?": ONE}


@frozen
class Variable:
    """``${key}`` or ``${key, 'default'}``."""

    key: str
    default: str | None = None


@frozen(eq=False)
class Template:
    """A text as a policy has it.

    :ivar tokens: literal texts, wildcards and variables; no two literals in a row.
    :ivar keys: the condition keys of its variables.
    """

    tokens: tuple[Token | Variable, ...]
    keys: frozenset[str] = field(init=False)

    @keys.default
    def _keys(self) -> frozenset[str]:
        return frozenset(token.key for token in self.tokens if isinstance(token, Variable))

    def fits_start(self, text: str) -> bool:
        """Whether ``text`` begins as this does: false only when it cannot fit."""
        first = self.tokens[0] if self.tokens else ""
        return not isinstance(first, str) or text.startswith(first)

    def resolve(self, context: RequestContext) -> list[Token] | None:
        """The pattern for a request; None when a variable has no value, or more than one, and no default."""
        resolved: list[Token] = []
        for token in self.tokens:
            if isinstance(token, Variable):
                found = context.find(token.key)
                value = found[0] if len(found) == 1 else token.default
                if value is None:
                    return None
                resolved.append(value)
            else:
                resolved.append(token)
        return resolved

    def loosened(self) -> list[Token]:
        """The pattern in which every variable may stand for anything."""
        return [STAR if isinstance(token, Variable) else token for token in self.tokens]


@frozen(eq=False)
class Patterns:
    """Several templates, of which a text must fit one, sorted by what it costs to tell.

    :ivar fold: texts that differ only in case are the same.
    """

    exact: frozenset[str]
    prefixes: tuple[str, ...]
    tests: tuple[Test, ...]
    moving: tuple[Template, ...]
    fold: bool = False

    def match(self, text: str, context: RequestContext) -> bool:
        """Whether ``text`` fits one of them; templates whose variables have no value fit nothing."""
        if self.fold:
            text = text.lower()
        if text in self.exact or text.startswith(self.prefixes):
            return True
        for test in self.tests:
            if test(text):
                return True
        return bool(self.moving) and any(self._fits(template, text, context) for template in self.moving)

    def _fits(self, template: Template, text: str, context: RequestContext) -> bool:
        if not self.fold and not template.fits_start(text):
            return False
        tokens = template.resolve(context)
        # What is too long is told apart before a test is made for it.
        if tokens is None or sum(len(token) for token in tokens if isinstance(token, str)) > len(text):
            return False
        return matcher(_folded(tokens) if self.fold else tokens)(text)


def patterns_of(templates: Iterable[Template], fold: bool = False) -> Patterns:
    """The Patterns of several templates."""
    exact, prefixes, tests, moving = set(), [], [], []
    for template in templates:
        if template.keys:
            moving.append(template)
            continue
        tokens = template.loosened()  # it has no variables
        tokens = _folded(tokens) if fold else tokens
        text, prefix = exact_text(tokens), prefix_text(tokens)
        if text is not None:
            exact.add(text)
        elif prefix is not None:
            prefixes.append(prefix)
        else:
            tests.append(matcher(tokens))
    return Patterns(frozenset(exact), tuple(prefixes), tuple(tests), tuple(moving), fold)


def read_template(text: str, place: str, variables: bool, wildcards: bool = True) -> Template:
    """Reads a text.

    :param place: the element it stands in, for the refusal.
    :param variables: whether the policy's version has variables; else ``${`` is literal.
    :param wildcards: whether ``*`` and ``?`` mean anything here.
    :raises MalformedPolicy: a variable is malformed or unknown.
    """
    tokens: list[Token | Variable] = []
    literal: list[str] = []
    at = 0
    while at < len(text):
        token: Token | Variable = text[at]
        if variables and text.startswith("${", at):
            end = _end_of_variable(text, at, place)
            token = _variable(text[at + 2 : end], place)
            at = end
        elif wildcards:
            token = _WILD.get(text[at], token)
        at += 1
        if isinstance(token, str):
            literal.append(token)
            continue
        if literal:
            tokens.append("".join(literal))
            literal = []
        tokens.append(token)
    if literal:
        tokens.append("".join(literal))
    return Template(tuple(tokens))


def _end_of_variable(text: str, start: int, place: str) -> int:
    """Where the closing brace is; one in a quoted default is not it."""
    quoted = False
    for at in range(start + 2, len(text)):
        if text[at] == "'":
            quoted = not quoted
        elif text[at] == "}" and not quoted:
            return at
    raise malformed("Policy has an unfinished variable", place, text)


def _variable(text: str, place: str) -> Token | Variable:
    """The variable between the braces; of the special ones the character that they stand for."""
    if text in ("*", "?", "$"):
        return text
    name, comma, rest = text.partition(",")
    default = rest.strip()
    if comma and not (len(default) >= 2 and default[0] == default[-1] == "'"):
        raise malformed("The default of a policy variable must be in single quotes", place, text)
    key = condition_key(name.strip())
    if key is None:
        raise malformed("Policy has an unknown variable", place, text)
    if key.several:
        raise malformed("A key with several values cannot be a policy variable", place, text)
    return Variable(key.name, default[1:-1] if comma else None)


def _folded(tokens: Iterable[Token]) -> list[Token]:
    return [token.lower() if isinstance(token, str) else token for token in tokens]
