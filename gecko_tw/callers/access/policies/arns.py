"""Patterns of Amazon Resource Names: six parts between colons, each matched by itself.

Source: IAM User Guide, "IAM identifiers", "Amazon Resource Name (ARN) condition operators".
"""

from collections.abc import Sequence

from attrs import frozen

from gecko_tw.callers.access.policies.context import RequestContext
from gecko_tw.callers.access.policies.pieces import STAR, Token
from gecko_tw.callers.access.policies.templates import Patterns, Template, Variable, patterns_of

PARTS = 6
_S3_HEAD = ("arn", "aws", "s3", "", "")


@frozen(eq=False)
class ArnPattern:
    """A pattern of ARNs.

    :ivar parts: one set of patterns for each part; None when every ARN fits (``*``).
    :ivar tail: the sixth part: what the ARN names.
    """

    parts: tuple[Patterns, ...] | None
    tail: Template

    def match(self, arn: Sequence[str], context: RequestContext) -> bool:
        """Whether an ARN fits. :param arn: as :func:`split_arn` gives it."""
        if self.parts is None:
            return True
        return all(pattern.match(part, context) for pattern, part in zip(self.parts, arn, strict=True))

    def concerns_s3(self, context: RequestContext) -> bool:
        """Whether the first five parts fit buckets and objects."""
        if self.parts is None:
            return True
        return all(pattern.match(part, context) for pattern, part in zip(self.parts[:5], _S3_HEAD, strict=True))


def split_arn(text: str) -> list[str] | None:
    """The six parts of an ARN, or None when it is none."""
    parts = text.split(":", PARTS - 1)
    return parts if len(parts) == PARTS else None


def arn_pattern(template: Template) -> ArnPattern | None:
    """The pattern that a template spells, or None when it spells none."""
    if template.tokens == (STAR,):
        return ArnPattern(None, template)
    parts = split_template(template)
    return None if parts is None else ArnPattern(tuple(patterns_of([part]) for part in parts), parts[-1])


def split_template(template: Template) -> list[Template] | None:
    """The six parts of a template, divided at colons that are literal; None when there are fewer."""
    parts: list[list[Token | Variable]] = [[]]
    for token in template.tokens:
        if not isinstance(token, str):
            parts[-1].append(token)
            continue
        first, *others = token.split(":", PARTS - len(parts))
        parts[-1].append(first)
        parts.extend([other] for other in others)
    if len(parts) != PARTS:
        return None
    return [Template(tuple(token for token in part if token != "")) for part in parts]
