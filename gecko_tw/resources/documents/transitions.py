"""What the transitions of a lifecycle rule must be to each other and to its expiration, as S3 checks it. Pure.

Sources: S3 API Reference, Transition and NoncurrentVersionTransition; S3 User Guide, "Transitioning objects using Amazon S3
Lifecycle", "Constraints and considerations for transitions".
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import combinations

from attrs import frozen

from gecko_tw.resources.answers.refusals import NotImplemented_
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest
from gecko_tw.store.rules.storage_classes import ARCHIVED, INFREQUENT, may_move

LEAST_DAYS = 30
"""Days that an object is kept before a class of infrequent access, and in it."""


@frozen
class _Action:
    """One action of a rule, ready to be compared.

    :ivar unit: ``Days``, ``NoncurrentDays`` or ``Date``.
    :ivar day: so many days, or the number of the date's day.
    :ivar value: as it is stored.
    """

    name: str
    unit: str
    day: int
    value: str | int
    storage_class: str = ""

    def refused(self, message: str) -> InvalidArgument:
        return InvalidArgument(message, ArgumentName=self.unit, ArgumentValue=self.value)


def check_transitions(rule: Mapping[str, Json]) -> None:
    """Refuses what S3 refuses of a rule as it is stored, and what cannot be done here.

    :raises InvalidRequest: one class twice; days beside dates.
    :raises InvalidArgument: a class before its time, out of S3's order, or not before the expiration.
    :raises NotImplemented_: a class that is read only after RestoreObject: such a rule must not be taken for one that works.
    """
    asked = f"filter '({' and '.join(_filter(rule))})'"
    _check_kind(_actions("Transition", rule.get("Transitions", ())), _expiration(rule, "Expiration"), asked)
    noncurrent = _actions("NoncurrentVersionTransition", rule.get("NoncurrentVersionTransitions", ()))
    _check_kind(noncurrent, _expiration(rule, "NoncurrentVersionExpiration"), asked)
    for name, several in (
        ("Transition", "Transitions"),
        ("NoncurrentVersionTransition", "NoncurrentVersionTransitions"),
    ):
        if any(one["StorageClass"] in ARCHIVED for one in rule.get(several, ())):
            raise NotImplemented_(
                "Objects cannot be moved to a storage class that is read only after RestoreObject.", Element=name
            )


def _check_kind(actions: list[_Action], expiration: _Action | None, asked: str) -> None:
    for one in actions:
        if one.unit != "Date" and one.storage_class in INFREQUENT and one.day < LEAST_DAYS:
            raise one.refused(
                f"'{one.unit}' in {one.name} action must be greater than or equal to {LEAST_DAYS} for storageClass"
                f" '{one.storage_class}'"
            )
    for first, second in combinations(actions, 2):
        if first.storage_class == second.storage_class:
            raise InvalidRequest(
                f"'StorageClass' must be different for '{first.name}' actions in same 'Rule' with {asked}"
            )
        if first.unit != second.unit:
            raise InvalidRequest(
                f"Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for {asked}"
            )
    for first, second in combinations(actions, 2):
        _check_order(first, second, asked)
    if expiration is not None:
        for one in actions:
            _check_expiration(expiration, one, asked)


def _check_order(first: _Action, second: _Action, asked: str) -> None:
    """Whichever comes first in the document: the warmer class must come first in time, and 30 days before another where S3 bills them."""
    warm, cold = (second, first) if may_move(second.storage_class, first.storage_class) else (first, second)
    told = f"'{cold.unit}' in the {cold.name} action for StorageClass '{cold.storage_class}' for {asked} must be"
    if not may_move(warm.storage_class, cold.storage_class) or cold.day <= warm.day:
        raise second.refused(
            f"{told} greater than '{warm.unit}' in the {warm.name} action for StorageClass '{warm.storage_class}' for {asked}"
        )
    if warm.storage_class in INFREQUENT and cold.day < warm.day + LEAST_DAYS:
        raise second.refused(
            f"{told} {LEAST_DAYS} days more than '{warm.unit}' in the {warm.name} action for StorageClass"
            f" '{warm.storage_class}'"
        )


def _check_expiration(expiration: _Action, one: _Action, asked: str) -> None:
    if expiration.unit != one.unit:
        raise InvalidRequest(
            f"Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for {asked}"
        )
    if expiration.day <= one.day:
        raise expiration.refused(
            f"'{one.unit}' in the {expiration.name} action for {asked} must be greater than '{one.unit}' in the"
            f" {one.name} action"
        )


def _actions(name: str, stored: Iterable[Mapping[str, Json]]) -> list[_Action]:
    return [_action(name, one) for one in stored]


def _action(name: str, stored: Mapping[str, Json]) -> _Action:
    unit = next(unit for unit in ("Days", "NoncurrentDays", "Date") if unit in stored)
    value = stored[unit]
    day = datetime.fromisoformat(value).toordinal() if unit == "Date" else value
    return _Action(name, unit, day, value, stored.get("StorageClass", ""))


def _expiration(rule: Mapping[str, Json], name: str) -> _Action | None:
    """That of current or of noncurrent versions; None where there is none, or only one of delete markers."""
    stored = rule.get(name, {})
    return None if not stored or "ExpiredObjectDeleteMarker" in stored else _action(name, stored)


def _filter(rule: Mapping[str, Json]) -> Iterator[str]:
    """What a rule chooses by, as S3's messages tell it."""
    chosen = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    chosen = chosen.get("And", chosen) or {"Prefix": ""}
    if "Prefix" in chosen:
        yield f"prefix={chosen['Prefix']}"
    for tag in chosen.get("Tags", [chosen["Tag"]] if "Tag" in chosen else []):
        yield f"tag={{key={tag['Key']}, value={tag['Value']}}}"
    for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        if name in chosen:
            yield f"{name.lower()}={chosen[name]}"
