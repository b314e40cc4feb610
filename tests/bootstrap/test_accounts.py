"""What a configuration file says about accounts, users, groups, keys and policies."""

import json

import pytest

from gecko_tw.callers.accounts.identities import Account
from gecko_tw.callers.accounts.scopes import KeyScope
from gecko_tw.settings import BadSetting
from tests.bootstrap.writing import declarations

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def refused(folder, text):
    with pytest.raises(BadSetting) as found:
        declarations(folder, text, SECRET="hush-hush")
    assert "hush" not in str(found.value)
    return str(found.value).replace(str(folder / "geckos3.yaml"), "FILE")


def test_accounts_are_names_or_say_more(tmp_path):
    (main,) = declarations(tmp_path, "accounts: [main]").accounts
    assert (main.value, main.stated) == (Account(id="main", display_name="main"), frozenset())
    text = "accounts: {a: , b: {display-name: Bee, email: b@example.com, enabled: false}}"
    a, b = declarations(tmp_path, text).accounts
    assert a.value == Account(id="a", display_name="a")
    assert b.value == Account(id="b", display_name="Bee", email="b@example.com", enabled=False)
    assert b.stated == {"display_name", "email", "enabled"}


def test_users_and_groups_have_policies_of_their_own_and_declared_ones(tmp_path):
    found = declarations(
        tmp_path,
        json.dumps(
            {
                "policies": {"all": POLICY},
                "groups": {"a/readers": {"policies": ["all"]}},
                "users": {
                    "a/alice": {"policies": {"own": json.dumps(POLICY)}, "groups": ["readers"], "tags": {"k": "v"}},
                    "a/bob": None,
                },
            }
        ),
    )
    (group,), (alice, bob) = [one.value for one in found.groups], [one.value for one in found.users]
    assert (group.account, group.name, json.loads(group.policies["all"])) == ("a", "readers", POLICY)
    assert (alice.groups, alice.tags, json.loads(alice.policies["own"])) == (("readers",), {"k": "v"}, POLICY)
    assert (bob.name, bob.policies, bob.groups, bob.tags) == ("bob", {}, (), {})


def test_keys_have_a_scope_and_an_end(tmp_path):
    text = """keys:
    - {access-key: 0123, secret: '${SECRET}', account: 0001}
    - access-key: other
      secret: x
      account: a
      user: alice
      expires: 2030-01-31
      scope: {actions: ['s3:GetObject'], buckets: [b], prefixes: a/, networks: [10.0.0.0/8]}
    """
    first, second = [one.value for one in declarations(tmp_path, text, SECRET="hush").keys]
    assert (first.access_key, first.secret, first.account, first.user) == ("0123", "hush", "0001", "")
    assert (first.expires, first.scope) == (None, None)
    assert second.expires == 1896048000.0
    assert second.scope == KeyScope(
        actions=("s3:GetObject",), buckets=("b",), prefixes=("a/",), networks=("10.0.0.0/8",)
    )
    assert "hush" not in repr(first)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("accounts: ['a:b']", "FILE:1: accounts[0]: an account's id has "),
        ("accounts: {a: {mail: x}}", "FILE:1: accounts.a: unknown key 'mail'; did you mean email? allowed are "),
        ("accounts: {a: {enabled: maybe}}", "FILE:1: accounts.a.enabled: must be true or false"),
        ("users: [alice]", "FILE:1: users[0]: must be named account/name"),
        ("users: {a/alice b: {}}", "FILE:1: users.a/alice b: a name has up to 128 letters"),
        ("users: {a/b: {policies: [x]}}", "FILE:1: users.a/b.policies: there is no policy 'x'; declared are none"),
        ("policies: {x: {Version: 1}}", "FILE:1: policies.x: MalformedPolicy: "),
        ("groups: {a/b: {groups: [c]}}", "FILE:1: groups.a/b: unknown key 'groups'"),
        ("keys: {a: {}}", "FILE:1: keys: must be a list"),
        ("keys: [{access-key: a, account: b}]", "FILE:1: keys[0]: must have secret"),
        ("keys: [{access-key: a, account: b, secret: [x]}]", "FILE:1: keys[0].secret: must be a text"),
        ("keys: [{access-key: a, account: b, secret: ''}]", "FILE:1: keys[0].secret: must be printable text"),
        ("keys: [{access-key: a, account: '', secret: c}]", "FILE:1: keys[0].account: must be printable text"),
        ("keys: [{access-key: a, account: b, secret: c, user: ''}]", "FILE:1: keys[0].user: must be printable text"),
        (
            "keys: [{access-key: a, account: b, secret: c, scope: {buckets: [b-1], prefixes: ['']}}]",
            "FILE:1: keys[0].scope.prefixes: must not have empty texts",
        ),
        (
            "keys: [{access-key: a, account: b, secrets: '${SECRET}'}]",
            "FILE:1: keys[0]: unknown key 'secrets'; did you mean secret? ",
        ),
        (
            "keys: [{access-key: a, account: b, secret: c, expires: '${SECRET}'}]",
            "FILE:1: keys[0].expires: must be a time",
        ),
        (
            "keys: [{access-key: a, account: b, secret: c, scope: {networks: ['${SECRET}']}}]",
            "FILE:1: keys[0].scope: MalformedPolicy: ",
        ),
        (
            "keys:\n- {access-key: a, account: b, secret: c}\n- {access-key: a, account: b, secret: '${SECRET}'}",
            "FILE:3: keys[1]: its access-key is there already, in FILE:2: keys[0]",
        ),
    ],
)
def test_mistakes_are_told_with_their_place_and_without_secrets(tmp_path, text, told):
    assert refused(tmp_path, text).startswith(told)
