"""Managed policies with versions, and roles: kept, attached, and what they let somebody do."""

import json

import pytest

from gecko_tw.callers.access.policies import MalformedPolicy, Principal, RequestContext, decide, read_trust_policy
from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.identities import Account, OnePair
from gecko_tw.callers.accounts.registry import GROUP, POLICY, ROLE, USER, Registry
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.callers.accounts.sessions import Sessions
from gecko_tw.callers.iam import access_keys, people, policies, roles
from gecko_tw.callers.refusals import AccessDenied, DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.refusals import InvalidArgument

SEALER = Sealer(bytes(32))
AWS = "arn:aws:iam::aws:policy/AmazonS3FullAccess"


def text(action="s3:Get*", effect="Allow"):
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(principal="*", **more):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def registry():
    found = Registry(MemoryDriver().documents, SEALER)
    found.put_account(Account(id="main"))
    found.put_account(Account(id="alt"))
    people.create_user(found, "main", "ann", "/x/", {})
    return found


def made(registry, name="mine", account="main", path="/"):
    return policies.create_managed(registry, account, name, text(), path=path, description="d", tags={"a": "b"})


def role(registry, name="worker", principal="*", account="main"):
    return roles.create_role(registry, account, name, trust(principal), path="/", description="", longest=3600, tags={})


def actions(found, action):
    context = RequestContext(principal=found.principal, action=action, resource="arn:aws:s3:::b/k", now=0)
    return decide(context, found.policies).allowed


def test_a_managed_policy_counts_for_whom_it_is_attached_to_in_the_version_that_is_the_default(registry):
    key = access_keys.create_key(registry, "main", "ann")
    directory, policy = Directory(registry, OnePair("root", "secret")), made(registry, path="/p/")
    assert policy.arn == "arn:aws:iam::main:policy/p/mine"

    def may(action):
        return actions(directory.find(key.access_key), action)

    assert not may("s3:GetObject")
    policies.attach(registry, USER, "main", "ann", policy.arn)
    policies.attach(registry, USER, "main", "ann", policy.arn)
    assert may("s3:GetObject") and not may("s3:PutObject")
    assert policies.add_version(registry, "main", policy.arn, text("s3:PutObject"), False) == "v2"
    assert may("s3:GetObject")
    policies.set_default(registry, "main", policy.arn, "v2")
    assert may("s3:PutObject") and not may("s3:GetObject")
    policies.detach(registry, USER, "main", "ann", policy.arn)
    assert not may("s3:PutObject")
    people.create_group(registry, "main", "g", "/")
    people.add_to_group(registry, "main", "g", "ann")
    policies.attach(registry, GROUP, "main", "g", policy.arn)
    assert may("s3:PutObject")
    assert [(kind, one.name) for kind, one in policies.holders_of(registry, "main", policy.arn)] == [(GROUP, "g")]


def test_a_policy_of_another_account_cannot_be_attached_and_one_of_aws_not_be_changed(registry):
    foreign = made(registry, account="alt")
    with pytest.raises(NoSuchEntity):
        policies.attach(registry, USER, "main", "ann", foreign.arn)
    for arn in ("arn:aws:iam::main:policy/none", "nonsense", "arn:aws:iam::aws:policy/None"):
        with pytest.raises(NoSuchEntity):
            policies.attach(registry, USER, "main", "ann", arn)
    policies.attach(registry, USER, "main", "ann", AWS)
    with pytest.raises(AccessDenied):
        policies.delete_managed(registry, "main", AWS)
    with pytest.raises(AccessDenied):
        policies.add_version(registry, "main", AWS, text(), True)


def test_versions_are_named_on_and_the_default_is_not_removed(registry):
    arn = made(registry).arn
    for number in range(2, 6):
        assert policies.add_version(registry, "main", arn, text(), False) == f"v{number}"
    with pytest.raises(LimitExceeded):
        policies.add_version(registry, "main", arn, text(), True)
    with pytest.raises(DeleteConflict):
        policies.delete_version(registry, "main", arn, "v1")
    policies.delete_version(registry, "main", arn, "v5")
    with pytest.raises(NoSuchEntity):
        policies.delete_version(registry, "main", arn, "v5")
    assert policies.add_version(registry, "main", arn, text(), True) == "v6"
    assert registry.managed_policy(arn).default == "v6"


def test_a_policy_in_use_or_with_versions_is_not_removed(registry):
    arn = made(registry).arn
    with pytest.raises(EntityAlreadyExists):
        made(registry, "MINE")
    policies.attach(registry, USER, "main", "ann", arn)
    with pytest.raises(DeleteConflict):
        policies.delete_managed(registry, "main", arn)
    policies.detach(registry, USER, "main", "ann", arn)
    policies.add_version(registry, "main", arn, text(), False)
    with pytest.raises(DeleteConflict):
        policies.delete_managed(registry, "main", arn)
    policies.delete_version(registry, "main", arn, "v2")
    policies.delete_managed(registry, "main", arn)
    assert registry.all(POLICY) == []


def test_documents_are_checked_and_have_a_longest_size(registry):
    with pytest.raises(MalformedPolicy):
        policies.put_policy(registry, USER, "main", "ann", "p", "{}")
    long = json.dumps({"Version": "2012-10-17", "Statement": [json.loads(text())["Statement"][0]] * 60})
    with pytest.raises(LimitExceeded):
        policies.put_policy(registry, USER, "main", "ann", "p", long)
    policies.put_policy(registry, USER, "main", "ann", "p", text() + " " * 3000)
    with pytest.raises(LimitExceeded):
        policies.create_managed(registry, "main", "p", text() + '"' * 7000, path="/", description="", tags={})


def test_a_session_of_a_role_may_what_the_role_may_now_and_ends_with_it(registry):
    one, sessions = role(registry), Sessions(SEALER)
    directory = Directory(registry, OnePair("root", "secret"))
    given = sessions.issue_of_role(one, None, 900, "work", 1000.0)
    found = directory.session(given.access_key, given.token)
    assert found.principal.arn == "arn:aws:sts::main:assumed-role/worker/work"
    assert (found.principal.role, found.principal.kind, found.principal.root) == (one.arn, "AssumedRole", False)
    assert (found.expires, found.superuser, found.account) == (1900, False, "main")
    assert not actions(found, "s3:GetObject")
    policies.put_policy(registry, ROLE, "main", "worker", "p", text())
    assert actions(directory.session(given.access_key, given.token), "s3:GetObject")
    limited = sessions.issue_of_role(one, text("s3:PutObject"), 900, "work", 1000.0)
    assert len(directory.session(limited.access_key, limited.token).boundaries) == 1
    registry.put_account(Account(id="main", enabled=False))
    assert directory.session(given.access_key, given.token) is None
    registry.put_account(Account(id="main"))
    with pytest.raises(DeleteConflict):
        roles.delete_role(registry, "main", "worker")
    policies.delete_policy(registry, ROLE, "main", "worker", "p")
    roles.delete_role(registry, "main", "worker")
    assert directory.session(given.access_key, given.token) is None
    role(registry)
    assert directory.session(given.access_key, given.token) is None


def test_a_bucket_policy_that_names_a_role_means_its_sessions(registry):
    one = role(registry)
    held = Principal(account="main", arn="arn:aws:sts::main:assumed-role/worker/w", role=one.arn)
    policy = read_trust_policy(trust({"AWS": one.arn}), "other")

    def ask(who):
        context = RequestContext(principal=who, action="sts:AssumeRole", resource=one.arn, now=0)
        return decide(context, [policy]).allowed

    assert ask(held)
    assert not ask(Principal(account="main", user_name="worker"))


@pytest.mark.parametrize(
    "document",
    (
        text(),
        trust() + "x",
        trust({"AWS": "arn:aws:iam::main:user/nobody"}),
        trust({"AWS": "arn:aws:iam::main:user/ann"}),
        trust({"AWS": "arn:aws:iam::main:role/none"}),
        trust(Resource="*"),
        trust(Action="s3:GetObject"),
        trust(Action="*"),
    ),
)
def test_what_trusts_nobody_is_refused(registry, document):
    directory = Directory(registry, OnePair("root", "secret"))
    with pytest.raises(MalformedPolicy):
        roles.check_trust(document, "worker", directory)


def test_who_is_trusted_must_be_there_with_the_path_that_is_named(registry):
    directory = Directory(registry, OnePair("root", "secret"))
    one = role(registry)
    for principal in ("arn:aws:iam::main:user/x/ann", one.arn, "alt", "arn:aws:iam::alt:root", "*"):
        roles.check_trust(trust({"AWS": principal}), "worker", directory)


def test_a_role_has_limits(registry):
    for longest in (3599, 43_201):
        with pytest.raises(InvalidArgument):
            roles.check_session(longest)
    with pytest.raises(InvalidArgument):
        roles.check_description("x" * 1001)
    role(registry)
    with pytest.raises(EntityAlreadyExists):
        role(registry, "Worker")
