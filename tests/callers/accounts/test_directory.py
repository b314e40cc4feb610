"""Identities as requests find them, and how soon a change counts."""

import json
import threading

import pytest
from attrs import evolve
from zope.interface.verify import verifyObject

from gecko_tw.callers.accounts import directory
from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, Account, Group, IIdentities, OnePair, User
from gecko_tw.callers.accounts.registry import ACCOUNT, GROUP, KEY, USER, Registry
from gecko_tw.callers.accounts.scopes import KeyScope, boundary_of
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.records import BucketRecord
from tests.patience import PATIENCE


def policy(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def driver():
    return MemoryDriver()


@pytest.fixture
def registry(driver):
    found = Registry(driver.documents, Sealer(bytes(32)))
    found.put_account(Account(id="main", display_name="The main one", email="Main@example.com"))
    found.put_group(Group(account="main", name="readers", policies={"read": policy("s3:GetObject")}))
    found.put_user(
        User(account="main", name="ann", policies={"put": policy("s3:PutObject")}, groups=("readers",), tags={"t": "x"})
    )
    found.add_key(AccessKey(access_key="annkey", secret="annsecret", account="main", user="ann", expires=5.0))
    found.add_key(AccessKey(access_key="mainkey", secret="mainsecret", account="main"))
    return found


@pytest.fixture
def found(registry):
    return Directory(registry, OnePair("root", "rootsecret"))


def test_it_keeps_its_interface(found):
    assert verifyObject(IIdentities, found)


def test_users_are_found_by_account_and_name(found):
    assert found.user("main", "ann").name == "ann"
    assert found.user("main", "bob") is None is found.user("other", "ann")


def test_a_users_key_stands_for_the_user(found):
    ann = found.find("annkey")
    assert (ann.secret, ann.account, ann.display_name, ann.expires) == ("annsecret", "main", "The main one", 5.0)
    assert ann.principal.arn == "arn:aws:iam::main:user/ann"
    assert (ann.principal.groups, ann.principal.tags, ann.principal.root) == (("readers",), {"t": "x"}, False)
    assert [one.name for one in ann.policies] == ["policy put", "policy read"]
    assert not ann.boundaries and not ann.superuser
    assert "annsecret" not in repr(ann)


def test_an_accounts_own_key_is_its_root(found):
    main = found.find("mainkey")
    assert main.principal.root and main.principal.canonical_id == "main"
    assert not main.superuser and not main.policies


def test_a_scope_is_a_boundary(found, registry):
    scope = KeyScope(actions=("object:get",), buckets=("photos",))
    registry.add_key(AccessKey(access_key="narrow", secret="s", account="main", scope=scope))
    assert found.find("narrow").boundaries == (boundary_of(scope),)


def test_nobody_has_an_unknown_key(found):
    assert found.find("nobody") is None
    assert found.account("nobody") is None
    assert found.account_by_email("nobody@example.com") is None


def test_the_pair_of_the_settings_always_counts(found, registry, driver):
    registry.add_key(AccessKey(access_key="root", secret="theirs", account="main"))
    root = found.find("root")
    assert root.superuser and root.secret == "rootsecret"
    assert found.account(ROOT_ACCOUNT).id == ROOT_ACCOUNT


def test_accounts_are_found_by_id_and_address(found, registry):
    assert found.account("main").display_name == "The main one"
    assert found.account_by_email("main@EXAMPLE.com").id == "main"
    registry.put_account(Account(id="main", email="new@example.com"))
    assert found.account_by_email("main@example.com") is None
    assert found.account_by_email("new@example.com").id == "main"


def change_group(registry):
    registry.put_group(Group(account="main", name="readers"))


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (lambda registry: registry.remove(KEY, "annkey"), None),
        (lambda registry: registry.enable(KEY, "annkey", False), None),
        (lambda registry: registry.enable(USER, "main/ann", False), None),
        (lambda registry: registry.enable(ACCOUNT, "main", False), None),
        (
            lambda registry: registry.put_key(evolve(registry.key("annkey"), secret="new")),
            ("new", ["policy put", "policy read"]),
        ),
        (
            lambda registry: registry.put_user(evolve(registry.user("main", "ann"), groups=())),
            ("annsecret", ["policy put"]),
        ),
        (change_group, ("annsecret", ["policy put"])),
    ],
)
def test_every_change_counts_at_the_next_request(found, registry, change, after):
    assert found.find("annkey").secret == "annsecret"
    change(registry)
    now = found.find("annkey")
    assert (now and (now.secret, [one.name for one in now.policies])) == after


def test_a_key_that_is_enabled_again_works_again(found, registry):
    registry.enable(KEY, "annkey", False)
    assert found.find("annkey") is None
    registry.enable(KEY, "annkey", True)
    assert found.find("annkey").secret == "annsecret"


def test_a_key_whose_user_or_account_is_gone_is_nobodys(found, registry, driver):
    for kind, name in ((USER, "main/ann"), (ACCOUNT, "main")):
        kept = driver.documents.get(kind, name)
        driver.documents.change(kind, name, lambda _: None)
        assert found.find("annkey") is None
        driver.documents.change(kind, name, lambda _, kept=kept: kept)
        assert found.find("annkey") is not None


def test_a_group_that_is_gone_takes_its_policies_with_it(found, driver):
    driver.documents.change(GROUP, "main/readers", lambda _: None)
    assert [one.name for one in found.find("annkey").policies] == ["policy put"]


def test_an_identity_is_read_once_until_something_changes(found, driver):
    first = found.find("annkey")
    assert found.find("annkey") is first
    driver.catalog.add_bucket(BucketRecord(name="photos", created=1))
    assert found.find("annkey") is not first


def test_strangers_do_not_fill_the_memory(found, registry, monkeypatch):
    monkeypatch.setattr(directory, "MOST", 3)
    for number in range(10):
        registry.add_key(AccessKey(access_key=f"k{number}", secret="s", account="main"))
    for number in range(10):
        assert found.find(f"k{number}") is not None
        assert found.find(f"stranger{number}") is None
        assert len(found._seen.identities) <= 3
    assert not any(name.startswith("stranger") for name in found._seen.identities)


def test_what_a_slow_thread_read_before_a_revocation_does_not_come_back(found, registry, monkeypatch):
    reading, revoked = threading.Event(), threading.Event()
    key = Registry.key

    def slowly(self, access_key):
        read = key(self, access_key)
        if threading.current_thread() is slow:
            reading.set()
            assert revoked.wait(PATIENCE)
        return read

    monkeypatch.setattr(Registry, "key", slowly)
    slow = threading.Thread(target=found.find, args=("annkey",))
    slow.start()
    assert reading.wait(PATIENCE)
    registry.remove(KEY, "annkey")
    assert found.find("annkey") is None
    revoked.set()
    slow.join(PATIENCE)
    assert found.find("annkey") is None
