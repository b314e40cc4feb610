"""Accounts, users, groups and access keys: added, changed, refused and removed."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from gecko_tw.callers.access.policies import MalformedPolicy
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, Account, Group, User
from gecko_tw.callers.accounts.registry import ACCOUNT, GROUP, KEY, USER, Registry, new_account_id, new_pair
from gecko_tw.callers.accounts.scopes import KeyScope
from gecko_tw.callers.accounts.sealing import Sealer, WrongKey
from gecko_tw.callers.refusals import DeleteConflict, EntityAlreadyExists, NoSuchEntity
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.refusals import InvalidArgument
from tests.callers.access.policies.policing import document

READ = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]})
MAIN = Account(id="main", display_name="The main one", email="main@example.com")
READERS = Group(account="main", name="readers", policies={"read": READ})
ANN = User(account="main", name="ann", policies={"read": READ}, groups=("readers",), tags={"team": "red"})
KEYS = AccessKey(
    access_key="a/b:c,d ü",
    secret="very secret, indeed",
    account="main",
    user="ann",
    expires=1e9,
    scope=KeyScope(actions=("object:get",), buckets=("photos",), prefixes=("a/",), networks=("10.0.0.0/8",)),
    description="laptop",
)


@pytest.fixture
def registry():
    found = Registry(MemoryDriver().documents, Sealer(bytes(32)), taken="root")
    for put, one in (
        (found.put_account, MAIN),
        (found.put_group, READERS),
        (found.put_user, ANN),
        (found.put_key, KEYS),
    ):
        assert put(one)
    return found


def unchanged(registry, *changes):
    """Does what must not change anything."""
    before = registry.documents.revision()
    for change in changes:
        change()
    return registry.documents.revision() == before


def test_what_was_put_is_found_again(registry):
    assert registry.account("main") == MAIN
    assert registry.group("main", "readers") == READERS
    assert registry.user("main", "ann") == ANN
    assert registry.key(KEYS.access_key) == KEYS
    assert [registry.all(kind) for kind in (ACCOUNT, GROUP, USER, KEY)] == [[MAIN], [READERS], [ANN], [KEYS]]
    assert (
        registry.account("x") is registry.user("main", "x") is registry.group("main", "x") is registry.key("x") is None
    )


def test_what_is_there_already_changes_nothing(registry):
    put = (
        (registry.put_account, MAIN),
        (registry.put_group, READERS),
        (registry.put_user, ANN),
        (registry.put_key, KEYS),
    )
    assert unchanged(registry, *(lambda verb=verb, one=one: verb(one) for verb, one in put))
    assert not any(verb(one) for verb, one in put)


def test_what_was_changed_keeps_the_time_at_which_it_was_added(registry):
    def created():
        return [value["created"] for kind in (ACCOUNT, GROUP, USER, KEY) for _, value in registry.documents.all(kind)]

    for kind, name in ((ACCOUNT, "main"), (GROUP, "main/readers"), (USER, "main/ann"), (KEY, KEYS.access_key)):
        registry.documents.change(kind, name, lambda found: {**found, "created": 7})
    assert registry.put_account(evolve(MAIN, display_name="other"))
    assert registry.put_group(evolve(READERS, policies={}))
    assert registry.put_user(evolve(ANN, tags={}))
    assert registry.put_key(evolve(KEYS, secret="another secret"))
    assert created() == [7, 7, 7, 7]
    assert registry.key(KEYS.access_key).secret == "another secret"


def test_a_secret_is_in_no_document_and_no_repr(registry):
    kept = repr([registry.documents.all(kind) for kind in (ACCOUNT, GROUP, USER, KEY)])
    assert "laptop" in kept
    for text in (kept, repr(registry.all(KEY)), repr(registry), str(registry.key(KEYS.access_key))):
        assert KEYS.secret not in text


def test_a_sealed_secret_belongs_to_its_access_key(registry):
    registry.add_key(evolve(KEYS, access_key="other"))
    stolen = registry.documents.get(KEY, KEYS.access_key)
    registry.documents.change(KEY, "other", lambda found: stolen)
    with pytest.raises(WrongKey):
        registry.key("other")


@pytest.mark.parametrize(
    ("verb", "one", "refusal"),
    [
        ("put_user", evolve(ANN, account="nobody"), NoSuchEntity),
        ("put_user", evolve(ANN, groups=("nobody",)), NoSuchEntity),
        ("put_user", evolve(ANN, policies={"p": "{}"}), MalformedPolicy),
        ("put_user", evolve(ANN, policies={"p": document()}), MalformedPolicy),
        ("put_user", evolve(ANN, name="a/b"), InvalidArgument),
        ("put_user", evolve(ANN, name=""), InvalidArgument),
        ("put_group", evolve(READERS, account="nobody"), NoSuchEntity),
        ("put_group", evolve(READERS, policies={"p": "nonsense"}), MalformedPolicy),
        ("put_account", evolve(MAIN, id="a:b"), InvalidArgument),
        ("put_account", evolve(MAIN, id="other", email="MAIN@example.com"), EntityAlreadyExists),
        ("put_account", Account(id=ROOT_ACCOUNT), EntityAlreadyExists),
        ("put_key", evolve(KEYS, account="nobody"), NoSuchEntity),
        ("put_key", evolve(KEYS, user="nobody"), NoSuchEntity),
        ("put_key", evolve(KEYS, access_key="root"), EntityAlreadyExists),
        ("put_key", evolve(KEYS, access_key=""), InvalidArgument),
        ("put_key", evolve(KEYS, secret=""), InvalidArgument),
        ("put_key", evolve(KEYS, access_key="a\n"), InvalidArgument),
        ("put_key", evolve(KEYS, secret=" padded"), InvalidArgument),
        ("put_key", evolve(KEYS, access_key="x" * 2000), InvalidArgument),
        ("put_key", evolve(KEYS, scope=KeyScope(actions=("object:fly",))), MalformedPolicy),
        ("add_key", KEYS, EntityAlreadyExists),
        ("add_key", evolve(KEYS, access_key="new", account="nobody"), NoSuchEntity),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(registry, verb, one, refusal):
    def refused():
        with pytest.raises(refusal) as told:
            getattr(registry, verb)(one)
        assert not KEYS.secret or KEYS.secret not in str(told.value)

    assert unchanged(registry, refused)


def test_no_change_undoes_another_one_that_was_made_meanwhile(registry):
    asked = []

    def rule(found):
        asked.append(found)
        if len(asked) == 1:
            registry.enable(USER, "main/ann", False)
        return evolve(found, policies={})

    assert registry.revise(USER, "main/ann", rule)
    assert [one.enabled for one in asked] == [True, False]
    assert registry.user("main", "ann") == evolve(ANN, policies={}, enabled=False)


def test_changes_of_several_threads_are_all_there(registry):
    for number in range(20):
        registry.put_group(Group(account="main", name=f"g{number}"))

    def join(number):
        return registry.revise(USER, "main/ann", lambda found: evolve(found, groups=(*found.groups, f"g{number}")))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(join, range(20)))
    assert len(registry.user("main", "ann").groups) == 21


def test_the_account_of_the_settings_is_always_there(registry):
    registry.put_user(User(account=ROOT_ACCOUNT, name="bob"))
    registry.add_key(AccessKey(access_key="bob", secret="s", account=ROOT_ACCOUNT, user="bob"))
    assert registry.account(ROOT_ACCOUNT) is None
    assert registry.user(ROOT_ACCOUNT, "bob").name == "bob"


def test_what_is_in_use_is_not_removed(registry):
    for kind, name in ((ACCOUNT, "main"), (GROUP, "main/readers"), (USER, "main/ann")):
        with pytest.raises(DeleteConflict):
            registry.remove(kind, name)
    for kind, name in ((KEY, KEYS.access_key), (USER, "main/ann"), (GROUP, "main/readers"), (ACCOUNT, "main")):
        registry.remove(kind, name)
        with pytest.raises(NoSuchEntity):
            registry.remove(kind, name)
    assert not any(registry.all(kind) for kind in (ACCOUNT, GROUP, USER, KEY))


def test_accounts_users_and_keys_are_switched_off_and_on(registry):
    for kind, name in ((ACCOUNT, "main"), (USER, "main/ann"), (KEY, KEYS.access_key)):
        registry.enable(kind, name, False)
        assert [one.enabled for one in registry.all(kind)] == [False]
        registry.enable(kind, name, True)
        assert [one.enabled for one in registry.all(kind)] == [True]
        with pytest.raises(NoSuchEntity):
            registry.enable(kind, "nobody", False)


def test_made_names_look_like_those_of_aws():
    access_key, secret = new_pair()
    assert len(access_key) == 20 and access_key.startswith("AKIA") and len(secret) == 40
    assert len({new_pair() for _ in range(20)}) == 20
    assert len(new_account_id()) == 12 and new_account_id().isdigit() and new_account_id() != ROOT_ACCOUNT
