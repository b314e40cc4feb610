"""May they? Statements of several policies held against one request: deny beats allow, allow beats nothing.

Sources: IAM User Guide, "Policy evaluation logic"; S3 User Guide, "How Amazon S3 authorizes a request".
"""

from collections.abc import Iterable

from attrs import frozen

from gecko_tw.callers.access.policies.context import RequestContext
from gecko_tw.callers.access.policies.documents import Policy
from gecko_tw.callers.access.policies.principals import PrincipalMatch
from gecko_tw.callers.access.policies.statements import DENY, Statement


@frozen
class Decision:
    """What policies say of a request.

    :ivar allowed: False, too, when no statement is about it.
    :ivar explicit_deny: a statement denies it: nothing else can allow it.
    :ivar policy: the policy of the statement that decided, or None.
    :ivar delegated: it is allowed to an account of which the principal is a user: the policies of the user must allow it too.
    :ivar note: why it was decided so, when no statement did.
    """

    allowed: bool = False
    explicit_deny: bool = False
    policy: Policy | None = None
    statement: Statement | None = None
    delegated: bool = False
    note: str = ""

    @property
    def why(self) -> str:
        """One line for people."""
        if self.note:
            return self.note
        if self.statement is None or self.policy is None:
            return "no statement allows it"
        verb = "denied" if self.explicit_deny else "allowed"
        return f"{verb} by {self.statement.title} of the {self.policy.name}"


UNDECIDED = Decision()


def decide(context: RequestContext, policies: Iterable[Policy]) -> Decision:
    """What some policies say of a request, together."""
    best = PrincipalMatch.NONE
    allowing: tuple[Policy, Statement] | None = None
    for policy in policies:
        for statement in policy.statements:
            denies = statement.effect == DENY
            if not denies and best is PrincipalMatch.DIRECT:
                continue
            match = statement.match(context)
            if match is PrincipalMatch.NONE:
                continue
            if denies:
                return Decision(False, True, policy, statement)
            if allowing is None or match is PrincipalMatch.DIRECT:
                allowing, best = (policy, statement), match
    return UNDECIDED if allowing is None else Decision(True, False, *allowing, delegated=best is PrincipalMatch.ACCOUNT)


def needed_keys(policies: Iterable[Policy], context: RequestContext | None = None) -> frozenset[str]:
    """The condition keys that deciding may ask for, so that what is costly (tags) is fetched first, and only when it is needed.

    :param context: leaves out the statements that cannot be about this request, whatever the values of its keys.
    """
    if context is None:
        return frozenset().union(*(policy.keys for policy in policies))
    return frozenset().union(
        *(
            statement.keys
            for policy in policies
            if policy.keys
            for statement in policy.statements
            if statement.keys and statement.may_concern(context)
        )
    )
