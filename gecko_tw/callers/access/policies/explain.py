"""Which statement decided, and why every other one did not: for the command line."""

from collections.abc import Iterable, Iterator

from gecko_tw.callers.access.policies.conditions import Condition
from gecko_tw.callers.access.policies.context import RequestContext
from gecko_tw.callers.access.policies.decisions import decide
from gecko_tw.callers.access.policies.documents import Policy
from gecko_tw.callers.access.policies.principals import PrincipalMatch
from gecko_tw.callers.access.policies.refusals import shown
from gecko_tw.callers.access.policies.statements import Statement


def explain(context: RequestContext, policies: Iterable[Policy]) -> list[str]:
    """The decision in lines of text: the request, the outcome, then each statement and what it says of the request."""
    policies = list(policies)
    decision = decide(context, policies)
    outcome = "ALLOWED" if decision.allowed else "DENIED"
    lines = [f"{_who(context)} asks for {context.action} on {shown(context.resource)}", f"{outcome}: {decision.why}"]
    for policy in policies:
        lines.append(f"{policy.name} ({policy.version})")
        for statement in policy.statements:
            lines.extend(_statement(statement, context))
    return lines


def _who(context: RequestContext) -> str:
    principal = context.principal
    return "Anonymous" if principal.anonymous else principal.service or principal.arn


def _statement(statement: Statement, context: RequestContext) -> Iterator[str]:
    reasons = list(_against(statement, context))
    match = statement.match(context)
    verdict = "applies" if match else "does not apply"
    if match is PrincipalMatch.ACCOUNT:
        verdict += " to the account: its users need a policy of their own as well"
    yield f"  {statement.title}, {statement.effect}: {verdict}"
    for reason in reasons:
        yield f"    {reason}"


def _against(statement: Statement, context: RequestContext) -> Iterator[str]:
    """Every reason why a statement is not about a request."""
    actions, resources, principals = statement.actions, statement.resources, statement.principals
    if principals is not None and not principals.match(context.principal):
        named = ", ".join(text for _, text in principals.written)
        yield f"{_not('Principal', principals.negated)} is {named}"
    if not actions.covers(context.action):
        yield f"{_not('Action', actions.negated)} is {', '.join(actions.written)}"
    if not resources.covers(context):
        yield f"{_not('Resource', resources.negated)} is {', '.join(resources.written)}{_variables(statement, context)}"
    for condition in statement.conditions:
        if not condition.holds(context):
            yield f"{_wanted(condition)}, but {_had(condition.key, context)}"


def _not(name: str, negated: bool) -> str:
    return f"Not{name}" if negated else name


def _variables(statement: Statement, context: RequestContext) -> str:
    known = [_had(key, context) for key in sorted(statement.resources.keys)]
    return f", where {' and '.join(known)}" if known else ""


def _wanted(condition: Condition) -> str:
    return f"{condition.operator} wants {condition.key} {shown(list(condition.values))}"


def _had(key: str, context: RequestContext) -> str:
    found = context.find(key)
    return f"{key} is {shown(list(found) if len(found) > 1 else found[0])}" if found else f"the request has no {key}"
