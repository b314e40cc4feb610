"""Who asks: key pairs as a configuration file declares them, and what the evaluator of policies says of each."""

from typing import Any

from attrs import field, frozen

from gecko_tw.callers.access.policies import (
    ANONYMOUS,
    Policy,
    Principal,
    RequestContext,
    authorize,
    decide,
    read_bucket_policy,
    read_identity_policy,
    resource_arn,
)
from gecko_tw.callers.access.policies.accounts import OWNER_KEEPS
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.scopes import KeyScope, boundary_of
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.matrix.cases import Case, policy_text

OWNER, OTHER = "main", "alt"
EVERYTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
READING = EVERYTHING.replace('"s3:*"', '["s3:Get*", "s3:List*"]')
ELSEWHERE = "elsewhere"
"""A bucket that no request is about."""

PAST = "2001-01-01T00:00:00Z"


@frozen(kw_only=True)
class Caller:
    """Somebody.

    :ivar account: ``""`` for nobody in particular.
    :ivar policies: the user's own.
    :ivar session: the policy of the session that it has, of the key of the caller named ``parent``, or of the settings' pair.
    :ivar scope: the bucket that the key is limited to: ``ELSEWHERE``, ``"here"`` for those of the case, or ``""``.
    """

    name: str
    account: str = ""
    user: str = ""
    policies: tuple[Policy, ...] = ()
    scope: str = ""
    expired: bool = False
    superuser: bool = False
    session: str = ""
    parent: str = ""
    principal: Principal = field(init=False)

    @principal.default
    def _principal(self) -> Principal:
        return Principal(account=self.account, user_name=self.user) if self.account else ANONYMOUS

    def pair(self, case: Case) -> tuple[str, str] | None:
        """The access key and its secret, or those that begin the session."""
        if not self.account:
            return None
        if self.superuser:
            return Daemon.access_key, Daemon.secret_key
        key = f"{self.name}-{case.name}" if self.scope == "here" else self.parent or self.name
        return key, f"secret-of-{key}"

    def may(self, case: Case, policy: str) -> bool:
        """Whether the evaluator of policies lets the caller do everything that the case needs, and it is not beyond policies."""
        if (case.recipe.signed and not self.account) or (case.recipe.owned and not self._owns):
            return False
        return not self.expired and all(self._may(case, policy, action) for action in case.actions)

    @property
    def _owns(self) -> bool:
        return self.account == OWNER or (self.superuser and not self.session)

    def _may(self, case: Case, policy: str, action: str) -> bool:
        bucket, key = case.asked(policy)
        there = not (case.recipe.elsewhere or not bucket)
        context = RequestContext(
            principal=self.principal,
            action=action,
            resource=resource_arn(bucket, None if key is None else key.encode()),
            now=0.0,
        )
        text = policy_text(case, policy) if there else None
        of_bucket = None if text is None else read_bucket_policy(text, bucket)
        if self.superuser and not self.session:
            return action in OWNER_KEEPS or of_bucket is None or not decide(context, [of_bucket]).explicit_deny
        if self.session and not decide(context, [read_identity_policy(self.session, "session")]).allowed:
            return False
        decision = authorize(context, self.policies, of_bucket, OWNER if there else self.account)
        return decision.allowed and all(
            decide(context, [boundary_of(KeyScope(buckets=tuple(limits)))]).allowed for limits in self._limits(case)
        )

    def _limits(self, case: Case) -> list[list[str]]:
        return [_scope(self, case)] if self.scope else []

    def keys(self, cases: list[Case]) -> list[dict[str, Any]]:
        """Its keys in a configuration file."""
        if not self.account or self.superuser or self.session:
            return []
        found = {}
        for case in cases:
            key, secret = self.pair(case) or ("", "")
            found[key] = {"access-key": key, "secret": secret, "account": self.account}
            found[key] |= {"user": self.user} if self.user else {}
            found[key] |= {"expires": PAST} if self.expired else {}
            found[key] |= {"scope": {"buckets": _scope(self, case)}} if self.scope else {}
        return list(found.values())


def _scope(caller: Caller, case: Case) -> list[str]:
    if caller.scope == ELSEWHERE:
        return [ELSEWHERE]
    return [case.bucket(policy) + ending for policy in case.policies for ending in {"", case.recipe.elsewhere}]


CALLERS = (
    Caller(name="settings", account=ROOT_ACCOUNT, superuser=True),
    Caller(name="owner", account=OWNER),
    Caller(name="ann", account=OWNER, user="ann", policies=(read_identity_policy(EVERYTHING, "everything"),)),
    Caller(name="bob", account=OWNER, user="bob"),
    Caller(name="other", account=OTHER),
    Caller(name="eve", account=OTHER, user="eve"),
    Caller(name="scoped-elsewhere", account=OWNER, scope=ELSEWHERE),
    Caller(name="scoped-here", account=OWNER, scope="here"),
    Caller(name="expired", account=OWNER, expired=True),
    Caller(name="anonymous"),
    Caller(name="settings-session", account=ROOT_ACCOUNT, superuser=True, session=EVERYTHING),
    Caller(name="owner-session", account=OWNER, parent="owner", session=READING),
    Caller(name="bob-session", account=OWNER, user="bob", parent="bob", session=EVERYTHING),
)
"""The settings' pair, an account's own key, users of it with a policy and without, another account and a user of it, and so on; and
sessions: of the settings' pair, which is no superuser in it, of the owner, limited to reading, and of a user whom its policy gives
nothing."""


def configuration(cases: list[Case]) -> dict[str, Any]:
    """A configuration file that declares all of them, and the buckets of all cases."""
    return {
        "policies": {"everything": EVERYTHING},
        "accounts": [OWNER, OTHER],
        "users": {
            f"{one.account}/{one.user}": {"policies": ["everything"] if one.policies else []}
            for one in CALLERS
            if one.user
        },
        "keys": [key for one in CALLERS for key in one.keys(cases)],
        "buckets": {name: _bucket(case) for case in cases for name in case.buckets},
    }


def _bucket(case: Case) -> dict[str, Any]:
    """What the bucket of a case is declared as: with something to read and to remove."""
    settings = dict(_SETTINGS[name] for name in case.row.selectors if name in _SETTINGS)
    return {"owner": OWNER, **settings, **({"object-lock": {"enabled": True}} if case.recipe.locked else {})}


_SETTINGS = {
    "cors": ("cors", [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]),
    "tagging": ("tags", {"a": "b"}),
    "website": ("website", {"IndexDocument": {"Suffix": "index.html"}}),
}
"""By sub-resource."""
