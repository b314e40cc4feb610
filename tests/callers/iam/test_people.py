"""Users, groups and access keys, changed as IAM does: each change is one step of all documents that it concerns."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from gecko_tw.callers.accounts.directory import Directory
from gecko_tw.callers.accounts.identities import AccessKey, Account, OnePair, User
from gecko_tw.callers.accounts.registry import ACCOUNT, GROUP, KEY, USER, Registry
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.callers.iam import access_keys, people, policies
from gecko_tw.callers.iam.names import QUOTAS, find, of_account
from gecko_tw.callers.refusals import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from gecko_tw.store.drivers.memory import MemoryDriver
from gecko_tw.store.refusals import InvalidArgument

READ = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]})
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.fixture
def registry():
    found = Registry(MemoryDriver().documents, Sealer(bytes(32)), taken="root")
    found.put_account(Account(id="main"))
    found.put_account(Account(id="alt"))
    return found


def user(registry, name="ann", path="/", account="main"):
    return people.create_user(registry, account, name, path, {})


def test_a_user_has_a_path_in_its_arn_and_an_id_that_no_later_one_has(registry):
    ann = user(registry, path="/team/red/")
    assert ann.arn == "arn:aws:iam::main:user/team/red/ann"
    assert registry.user("main", "ann") == ann and registry.user("main", "ann").created > 0
    people.delete_user(registry, "main", "ann")
    again = user(registry)
    assert again.id != ann.id and again.id.startswith("AIDA") and len(again.id) == 21


def test_the_case_of_a_name_means_nothing_unless_there_are_two_of_it(registry):
    user(registry, "Ann")
    for name in ("Ann", "ANN"):
        with pytest.raises(EntityAlreadyExists):
            user(registry, name)
    user(registry, "ann", account="alt")
    assert find(registry, USER, "main", "aNN").name == "Ann"
    registry.put_user(User(account="main", name="ann"))
    assert find(registry, USER, "main", "ann").name == "ann"
    assert [one.name for one in of_account(registry, USER, "main")] == ["Ann", "ann"]


@pytest.mark.parametrize("name", ("", "a b", "a/b", "ü", "a" * 65, "a*"))
def test_what_is_no_name_is_refused(registry, name):
    with pytest.raises(InvalidArgument):
        user(registry, name)


@pytest.mark.parametrize("path", ("", "x", "/x", "x/", "/ü/", "/a b/", "/" + "a" * 511 + "/"))
def test_what_is_no_path_is_refused(registry, path):
    with pytest.raises(InvalidArgument):
        user(registry, path=path)


def test_a_user_that_is_renamed_keeps_keys_policies_groups_and_id(registry):
    ann = user(registry)
    people.create_group(registry, "main", "readers", "/")
    people.add_to_group(registry, "main", "readers", "ann")
    policies.put_policy(registry, USER, "main", "ann", "own", READ)
    key = access_keys.create_key(registry, "main", "ann")
    people.update_user(registry, "main", "ANN", "Bea", "/new/")
    assert registry.user("main", "ann") is None
    bea = registry.user("main", "Bea")
    assert (bea.id, bea.path, bea.groups, dict(bea.policies)) == (ann.id, "/new/", ("readers",), {"own": READ})
    assert bea.created == ann.created
    assert registry.key(key.access_key) == evolve(key, user="Bea")
    found = Directory(registry, OnePair("root", "secret")).find(key.access_key)
    assert found.principal.arn == "arn:aws:iam::main:user/new/Bea" and len(found.policies) == 1


def test_only_the_case_of_a_name_or_only_the_path_can_be_changed(registry):
    user(registry)
    user(registry, "bob")
    people.update_user(registry, "main", "ann", "ANN", None)
    people.update_user(registry, "main", "ANN", None, "/p/")
    assert [one.arn for one in of_account(registry, USER, "main")] == [
        "arn:aws:iam::main:user/p/ANN",
        "arn:aws:iam::main:user/bob",
    ]
    with pytest.raises(EntityAlreadyExists):
        people.update_user(registry, "main", "ANN", "Bob", None)
    with pytest.raises(NoSuchEntity):
        people.update_user(registry, "main", "eve", "x", None)


def test_a_user_does_not_take_the_place_of_another_whose_name_differs_in_case(registry):
    user(registry, "Ann")
    registry.put_user(User(account="main", name="ann"))
    for name, wanted in (("Ann", "ann"), ("ann", "Ann"), ("Ann", "ANN")):
        with pytest.raises(EntityAlreadyExists):
            people.update_user(registry, "main", name, wanted, None)
    people.update_user(registry, "main", "Ann", None, "/p/")
    assert [(one.name, one.path) for one in of_account(registry, USER, "main")] == [("Ann", "/p/"), ("ann", "/")]


def test_where_there_are_as_many_as_may_be_one_can_have_another_name(registry, monkeypatch):
    monkeypatch.setitem(QUOTAS, "Users", 1)
    user(registry)
    people.update_user(registry, "main", "ann", "eve", None)
    assert [one.name for one in of_account(registry, USER, "main")] == ["eve"]
    with pytest.raises(LimitExceeded):
        user(registry)


def test_a_user_is_not_removed_while_it_has_anything(registry):
    user(registry)
    people.create_group(registry, "main", "readers", "/")
    key = access_keys.create_key(registry, "main", "ann")
    policies.put_policy(registry, USER, "main", "ann", "own", READ)
    policies.attach(registry, USER, "main", "ann", READ_ONLY)
    people.add_to_group(registry, "main", "readers", "ann")
    for undo in (
        lambda: policies.detach(registry, USER, "main", "ann", READ_ONLY),
        lambda: policies.delete_policy(registry, USER, "main", "ann", "own"),
        lambda: people.remove_from_group(registry, "main", "readers", "ann"),
        lambda: access_keys.delete_key(registry, "main", "ann", key.access_key),
    ):
        with pytest.raises(DeleteConflict):
            people.delete_user(registry, "main", "ann")
        undo()
    people.delete_user(registry, "main", "ann")
    assert registry.all(USER) == []


def test_a_group_that_is_renamed_keeps_its_members(registry):
    user(registry)
    group = people.create_group(registry, "main", "readers", "/")
    people.add_to_group(registry, "main", "READERS", "ann")
    people.update_group(registry, "main", "readers", "writers", "/w/")
    renamed = find(registry, GROUP, "main", "writers")
    assert (renamed.id, renamed.arn) == (group.id, "arn:aws:iam::main:group/w/writers")
    assert [one.name for one in people.members(registry, renamed)] == ["ann"]
    with pytest.raises(DeleteConflict):
        people.delete_group(registry, "main", "writers")
    people.remove_from_group(registry, "main", "writers", "ann")
    with pytest.raises(NoSuchEntity):
        people.remove_from_group(registry, "main", "writers", "ann")
    people.delete_group(registry, "main", "writers")


def test_there_are_quotas(registry):
    user(registry)
    for _ in range(2):
        access_keys.create_key(registry, "main", "ann")
    with pytest.raises(LimitExceeded):
        access_keys.create_key(registry, "main", "ann")
    access_keys.create_key(registry, "main", "")
    for number in range(10):
        people.create_group(registry, "main", f"g{number}", "/")
        people.add_to_group(registry, "main", f"g{number}", "ann")
    people.add_to_group(registry, "main", "g0", "ann")
    people.create_group(registry, "main", "more", "/")
    with pytest.raises(LimitExceeded):
        people.add_to_group(registry, "main", "more", "ann")


def test_a_key_is_that_of_its_user_alone(registry):
    user(registry)
    user(registry, "bob")
    key = access_keys.create_key(registry, "main", "ann")
    for account, name in (("main", "bob"), ("main", ""), ("alt", "")):
        with pytest.raises(NoSuchEntity):
            access_keys.update_key(registry, account, name, key.access_key, False)
        with pytest.raises(NoSuchEntity):
            access_keys.delete_key(registry, account, name, key.access_key)
    access_keys.update_key(registry, "main", "Ann", key.access_key, False)
    assert registry.key(key.access_key) == evolve(key, enabled=False)
    assert registry.key(key.access_key).created == key.created


def test_nothing_is_made_for_an_account_that_was_removed(registry):
    registry.remove(ACCOUNT, "alt")
    for make in (
        lambda: user(registry, account="alt"),
        lambda: people.create_group(registry, "alt", "g", "/"),
        lambda: access_keys.create_key(registry, "alt", ""),
    ):
        with pytest.raises(NoSuchEntity):
            make()
    assert registry.all(KEY) == registry.all(USER) == registry.all(GROUP) == []


def test_of_many_at_once_one_gets_the_name_and_none_more_keys_than_allowed(registry):
    user(registry)

    def ask(number):
        try:
            user(registry, "eve" if number % 2 else "EVE")
            return "user"
        except EntityAlreadyExists:
            try:
                access_keys.create_key(registry, "main", "ann")
                return "key"
            except LimitExceeded:
                return "refused"

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(16)))
    assert (answers.count("user"), answers.count("key")) == (1, 2)


def test_identities_of_before_there_was_iam_are_read_as_they_were(registry):
    old = {"account": "main", "name": "ann", "policies": {"read": READ}, "groups": [], "tags": {}, "enabled": True}
    registry.documents.change(USER, "main/ann", lambda found: {**old, "created": 7})
    group = {"account": "main", "name": "readers", "policies": {}}
    registry.documents.change(GROUP, "main/readers", lambda found: {**group, "created": 8})
    ann, readers = registry.user("main", "ann"), registry.group("main", "readers")
    assert (ann.path, ann.attached, ann.unique_id, ann.created) == ("/", (), "main:ann", 7)
    assert (readers.path, readers.attached, readers.unique_id, readers.created) == ("/", (), "main:readers", 8)
    key = AccessKey(access_key="k", secret="s", account="main", user="ann")
    registry.put_key(key)
    found = Directory(registry, OnePair("root", "secret")).find("k")
    assert found.principal.user_id == "main:ann" and found.principal.arn == "arn:aws:iam::main:user/ann"
    people.update_user(registry, "main", "ann", None, "/p/")
    assert registry.user("main", "ann").created == 7


def test_tags_are_set_beside_others_and_removed(registry):
    user(registry)
    people.tag(registry, USER, "main", "ann", {"a": "1", "b": "2"})
    people.tag(registry, USER, "main", "ann", {"b": "3"})
    people.untag(registry, USER, "main", "ann", ["a", "none"])
    assert dict(registry.user("main", "ann").tags) == {"b": "3"}
    with pytest.raises(LimitExceeded):
        people.tag(registry, USER, "main", "ann", {str(number): "" for number in range(50)})
