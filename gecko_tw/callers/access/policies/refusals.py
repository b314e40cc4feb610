"""How a policy document is refused: one refusal, whose message names the element at fault."""

import json

from gecko_tw.store.refusals import Refusal

_SHOWN = 120


class MalformedPolicy(Refusal):
    """This policy contains invalid Json"""


def malformed(reason: str, place: str, *values: object) -> MalformedPolicy:
    """The refusal of one element.

    :param reason: what is wrong, in S3's words where it has any.
    :param place: the element, e.g. ``Statement[0].Action``; ``""`` for the document.
    :param values: what stands there.
    """
    detail = ", ".join(shown(value) for value in values)
    where = f"{place} {detail}".strip()
    return MalformedPolicy(f"{reason}: {where}" if where else reason, Element=place, Detail=detail)


def shown(value: object) -> str:
    """A value as JSON, in ASCII and not too long: whatever stands in a document, an error message can carry it."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
