"""Sessions: what a token stands for, that nobody can make or change one, and that it never outlives or exceeds its parent."""

import json
from string import printable

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from gecko_tw.callers.access.policies import MalformedPolicy, RequestContext, decide
from gecko_tw.callers.accounts import directory
from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.identities import AccessKey, Account, Identity, OnePair, User
from gecko_tw.callers.accounts.registry import ACCOUNT, KEY, USER, Registry
from gecko_tw.callers.accounts.scopes import KeyScope, boundary_of
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.callers.accounts.sessions import Credentials, Sessions, session_policy
from gecko_tw.store.drivers.memory import MemoryDriver

NOW = 1_000.0


def policy(*actions: str, effect: str = "Allow", resource: str = "*") -> str:
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


READ = policy("s3:GetObject")


class Office:
    """A deployment with some keys, its directory, and who issues sessions in it."""

    def __init__(self, key: bytes = bytes(32)) -> None:
        sealer = Sealer(key)
        self.documents = MemoryDriver().documents
        self.registry = Registry(self.documents, sealer)
        self.sessions = Sessions(sealer)
        self.directory = Directory(self.registry, OnePair("root", "rootsecret"))
        self.registry.put_account(Account(id="main"))
        for name in ("ann", "bob"):
            self.registry.put_user(User(account="main", name=name, policies={"all": policy("s3:*")}))
        self.registry.add_key(AccessKey(access_key="annkey", secret="annsecret", account="main", user="ann"))
        self.registry.add_key(AccessKey(access_key="mainkey", secret="mainsecret", account="main"))

    def parent(self, access_key: str = "annkey") -> Identity:
        found = self.directory.find(access_key)
        assert found is not None
        return found

    def begin(self, parent: str = "annkey", text: str | None = None, seconds: int = 900) -> Credentials:
        return self.sessions.issue(self.parent(parent), text, seconds, "work", NOW)

    def find(self, given: Credentials) -> Identity | None:
        return self.directory.session(given.access_key, given.token)

    def change_key(self, **changes: object) -> None:
        self.registry.put_key(evolve(self.registry.key("annkey"), **changes))


@pytest.fixture
def office() -> Office:
    return Office()


OFFICE = Office()
GIVEN = OFFICE.begin(text=READ)


def allows(identity: Identity, action: str, resource: str = "arn:aws:s3:::photos/cat") -> bool:
    context = RequestContext(principal=identity.principal, action=action, resource=resource, now=NOW)
    return decide(context, identity.policies).allowed and all(
        decide(context, (one,)).allowed for one in identity.boundaries
    )


def test_a_session_stands_for_its_parent_with_a_secret_of_its_own(office: Office) -> None:
    given, parent = office.begin(), office.parent()
    session = office.find(given)
    assert session is not None
    assert given.access_key.startswith("ASIA") and len(given.access_key) == 20
    assert (session.access_key, session.secret, session.token) == (given.access_key, given.secret, given.token)
    assert (session.parent, session.session, session.expires) == ("annkey", "work", NOW + 900)
    assert (session.principal, session.policies, session.boundaries) == (parent.principal, parent.policies, ())
    assert office.find(given) is session


def test_two_sessions_have_nothing_in_common(office: Office) -> None:
    first, second = office.begin(), office.begin()
    assert first.access_key != second.access_key and first.secret != second.secret and first.token != second.token
    assert office.directory.session(first.access_key, second.token) is None
    assert office.find(first) and office.find(second)
    assert office.directory.session(first.access_key, second.token) is None


def test_a_session_policy_narrows_and_never_widens(office: Office) -> None:
    office.registry.put_user(User(account="main", name="ann", policies={"own": policy("s3:GetObject", "s3:PutObject")}))
    session = office.find(office.begin(text=policy("s3:GetObject", "s3:DeleteObject")))
    assert session is not None
    assert [allows(session, f"s3:{verb}Object") for verb in ("Get", "Put", "Delete")] == [True, False, False]


ACTIONS = st.lists(st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*"]), min_size=1, max_size=2)
TEXTS = st.builds(policy, ACTIONS.map(lambda actions: actions[0]), effect=st.sampled_from(["Allow", "Deny"]))
SCOPES = st.none() | st.builds(KeyScope, actions=st.sampled_from([("object:get",), ("object:put",)]))


@settings(max_examples=60, deadline=None)
@given(own=TEXTS, scope=SCOPES, text=st.none() | TEXTS, action=st.sampled_from(["s3:GetObject", "s3:PutObject"]))
def test_a_session_may_do_exactly_what_both_its_parent_and_its_policy_allow(own, scope, text, action) -> None:
    office = Office()
    office.registry.put_user(User(account="main", name="ann", policies={"own": own}))
    office.change_key(scope=scope)
    session, parent = office.find(office.begin(text=text)), office.parent()
    assert session is not None
    within = text is None or allows(evolve(parent, policies=(session_policy(text),), boundaries=()), action)
    assert allows(session, action) == (allows(parent, action) and within)


@pytest.mark.parametrize(
    "change",
    [
        lambda office: office.registry.remove(KEY, "annkey"),
        lambda office: office.registry.enable(KEY, "annkey", False),
        lambda office: office.registry.enable(USER, "main/ann", False),
        lambda office: office.registry.enable(ACCOUNT, "main", False),
        lambda office: office.change_key(secret="another"),
        lambda office: office.change_key(user="bob"),
        lambda office: office.change_key(user=""),
    ],
    ids=["revoked", "disabled", "user disabled", "account disabled", "new secret", "another user", "the account's own"],
)
def test_a_session_ends_at_once_with_what_it_stood_for(office: Office, change) -> None:
    given = office.begin(text=READ)
    assert office.find(given) is not None
    change(office)
    assert office.find(given) is None


def test_a_scope_or_a_policy_that_is_narrowed_counts_at_the_next_request(office: Office) -> None:
    given, scope = office.begin(text=READ), KeyScope(actions=("object:put",))
    before = office.find(given)
    assert before is not None and allows(before, "s3:GetObject")
    office.change_key(scope=scope)
    after = office.find(given)
    assert after is not None and after.boundaries == (boundary_of(scope), session_policy(READ))
    office.change_key(scope=None)
    office.registry.put_user(User(account="main", name="ann", policies={"no": policy("s3:GetObject", effect="Deny")}))
    denied = office.find(given)
    assert denied is not None and not allows(denied, "s3:GetObject")


def test_no_session_lasts_longer_than_its_parents_key(office: Office) -> None:
    office.change_key(expires=NOW + 60.5)
    assert office.begin().expires == NOW + 60
    office.change_key(expires=None)
    given = office.begin()
    office.change_key(expires=NOW + 5)
    session = office.find(given)
    assert given.expires == NOW + 900 and session is not None and session.expires == NOW + 5


def test_the_superuser_within_a_policy_is_no_superuser(office: Office) -> None:
    plain, limited = office.find(office.begin("root")), office.find(office.begin("root", READ))
    assert plain is not None and plain.superuser and not plain.boundaries
    assert limited is not None and not limited.superuser and limited.boundaries == (session_policy(READ),)
    assert limited.principal.root


def test_the_superusers_sessions_end_when_the_settings_have_another_secret(office: Office) -> None:
    given = office.begin("root")
    changed = Directory(office.registry, OnePair("root", "another"))
    assert changed.session(given.access_key, given.token) is None
    renamed = Directory(office.registry, OnePair("boss", "rootsecret"))
    assert renamed.session(given.access_key, given.token) is None


def test_a_token_of_another_deployment_is_none_here(office: Office) -> None:
    stranger = Office(b"x" * 32).begin()
    assert office.find(stranger) is None


@pytest.mark.parametrize("access_key", ["annkey", "root", "mainkey", "", "ASIA" + "A" * 16, "\udcff"])
def test_a_token_is_of_no_use_with_another_access_key(office: Office, access_key: str) -> None:
    given = office.begin()
    for _ in range(2):
        assert office.directory.session(access_key, given.token) is None
        assert office.find(given) is not None


def test_what_is_sealed_for_another_purpose_is_no_token(office: Office) -> None:
    sealed = office.documents.get(KEY, "annkey")["secret"].translate(str.maketrans("+/", "-_"))
    assert office.directory.session("annkey", sealed) is None


@given(st.data())
def test_no_altered_token_is_taken(data) -> None:
    token = GIVEN.token
    at = data.draw(st.integers(0, len(token)))
    kind = data.draw(st.sampled_from(["replaced", "inserted", "removed", "cut"]))
    sign = data.draw(st.sampled_from(printable) | st.characters())
    altered = {
        "replaced": token[:at] + sign + token[at + 1 :],
        "inserted": token[:at] + sign + token[at:],
        "removed": token[:at] + token[at + 1 :],
        "cut": token[:at],
    }[kind]
    if altered != token:
        assert OFFICE.directory.session(GIVEN.access_key, altered) is None
    assert OFFICE.find(GIVEN) is not None


@given(st.text() | st.text("AZaz09-_=", max_size=200) | st.binary(max_size=64).map(lambda raw: raw.decode("latin-1")))
def test_whatever_else_is_no_token(token: str) -> None:
    assert OFFICE.directory.session(GIVEN.access_key, token) is None


def test_a_token_is_huge_or_not_ascii_in_vain(office: Office) -> None:
    given = office.begin()
    for token in (given.token * 100, "A" * 1_000_000, given.token + "ä", "\ud800" + given.token, given.token + "\n"):
        assert office.directory.session(given.access_key, token) is None


def test_policies_that_callers_choose_cannot_fill_the_memory(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST_TOKENS", 10_000)
    seen = office.directory._fresh()
    for number in range(60):
        given = office.begin(text=policy("s3:GetObject", resource=f"arn:aws:s3:::photos/{number}/" + "x" * 500))
        assert office.find(given) is not None
        assert 0 < sum(map(len, seen.sessions)) == seen.tokens <= 10_000
    assert office.directory._fresh() is seen
    most = session_policy.cache_info().maxsize
    assert most is not None and most <= 64


def test_tokens_that_nobody_issued_are_not_remembered(office: Office) -> None:
    for number in range(20):
        assert office.directory.session("ASIA", f"{number:04}") is None
    assert not office.directory._fresh().sessions


def test_a_session_policy_is_checked_as_policies_are() -> None:
    for text in ("", "{}", policy("s3:Nothing"), policy("s3:GetObject").replace("2012", "2013"), "[" * 2000):
        with pytest.raises(MalformedPolicy):
            session_policy(text)


def test_secrets_and_tokens_are_not_in_what_is_printed(office: Office) -> None:
    given = office.begin()
    told = office.sessions.open(given.access_key, given.token)
    shown = f"{given!r} {told!r} {office.find(given)!r}"
    assert given.access_key in shown
    assert not [secret for secret in (given.secret, given.token, "annsecret") if secret in shown]
    assert given.secret not in given.token
