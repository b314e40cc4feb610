"""One statement of a policy: whom, what and where it is about, when, and whether it allows or denies."""

from attrs import field, frozen

from gecko_tw.callers.access.policies.action_sets import ActionSet, read_actions
from gecko_tw.callers.access.policies.conditions import Condition, read_conditions
from gecko_tw.callers.access.policies.context import RequestContext
from gecko_tw.callers.access.policies.grammar import Dialect, members, one_of
from gecko_tw.callers.access.policies.principals import PrincipalMatch, PrincipalSet, read_principals
from gecko_tw.callers.access.policies.refusals import malformed
from gecko_tw.callers.access.policies.resource_sets import ResourceSet, check_kinds, read_resources
from gecko_tw.store.records import Json

ALLOW, DENY = "Allow", "Deny"

_MEMBERS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)


@frozen(eq=False)
class Statement:
    """One statement.

    :ivar number: its place in the policy, from 1.
    :ivar sid: its Sid, or ``""``.
    :ivar principals: None in the policies of users and groups: those are about whoever has them.
    :ivar keys: all condition keys that it may ask for.
    """

    number: int
    sid: str
    effect: str
    principals: PrincipalSet | None
    actions: ActionSet
    resources: ResourceSet
    conditions: tuple[Condition, ...]
    keys: frozenset[str] = field(init=False)

    @keys.default
    def _keys(self) -> frozenset[str]:
        return self.resources.keys.union(*(condition.keys for condition in self.conditions))

    def match(self, context: RequestContext) -> PrincipalMatch:
        """How it is about a request: ``PrincipalMatch.NONE`` when it is not."""
        if not self.actions.covers(context.action) or not self.resources.covers(context):
            return PrincipalMatch.NONE
        match = PrincipalMatch.DIRECT if self.principals is None else self.principals.match(context.principal)
        if match:
            for condition in self.conditions:
                if not condition.holds(context):
                    return PrincipalMatch.NONE
        return match

    def may_concern(self, context: RequestContext) -> bool:
        """Whether it can be about a request once the values of all keys are known."""
        return (
            self.actions.covers(context.action)
            and (self.principals is None or self.principals.match(context.principal) is not PrincipalMatch.NONE)
            and (bool(self.resources.keys) or self.resources.covers(context))
        )

    @property
    def title(self) -> str:
        """How messages call it."""
        return f'statement {self.number} "{self.sid}"' if self.sid else f"statement {self.number}"


def read_statement(value: Json, number: int, place: str, dialect: Dialect) -> Statement:
    """Reads one statement. :raises MalformedPolicy: when any of its elements is wrong."""
    given = members(value, place, _MEMBERS)
    sid = given.get("Sid", "")
    if not isinstance(sid, str):
        raise malformed("Sid must be a string", f"{place}.Sid", sid)
    if "Effect" not in given:
        raise malformed("Missing required field Effect", place)
    effect = given["Effect"]
    if effect not in (ALLOW, DENY):
        raise malformed("Invalid effect", f"{place}.Effect", effect)
    principals = _principals(given, effect, place, dialect)
    name, element = one_of(given, "Action", place)
    actions = read_actions(element, f"{place}.{name}", dialect, negated=name == "NotAction")
    if dialect.trust and ("Resource" in given or "NotResource" in given):
        raise malformed("Has prohibited field Resource", place)
    name, element = ("Resource", "*") if dialect.trust else one_of(given, "Resource", place)
    resources = read_resources(element, f"{place}.{name}", dialect, negated=name == "NotResource")
    if dialect.bucket is not None and not actions.negated and not resources.negated:
        check_kinds(actions.written, resources, f"{place}.Action", dialect.bucket)
    conditions = read_conditions(given.get("Condition", {}), f"{place}.Condition", dialect)
    return Statement(number, sid, effect, principals, actions, resources, conditions)


def _principals(given: dict[str, Json], effect: str, place: str, dialect: Dialect) -> PrincipalSet | None:
    if dialect.bucket is None and not dialect.trust:
        for name in ("Principal", "NotPrincipal"):
            if name in given:
                raise malformed("Policy document should not specify a principal", f"{place}.{name}")
        return None
    name, element = one_of(given, "Principal", place)
    negated = name == "NotPrincipal"
    if negated and effect == ALLOW:
        raise malformed("Allow with NotPrincipal is not allowed", f"{place}.{name}", element)
    return read_principals(element, f"{place}.{name}", negated, dialect.trust)
