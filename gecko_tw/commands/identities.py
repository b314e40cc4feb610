"""``geckos3 account|user|group|key``: what they ask for, and how they say what is answered."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gecko_tw.callers.accounts.changes import LIMITS, moment
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.registered import ACCOUNT, GROUP, KEY, USER
from gecko_tw.commands.asking import Ask
from gecko_tw.commands.telling import Told

Values = Mapping[str, Any]  # of JSON

_VERBS = {
    ACCOUNT: ("ListAccounts", "GetAccount", "UpdateAccount", "DeleteAccount"),
    USER: ("ListUsers", "GetUser", "EnableUser", "DeleteUser"),
    GROUP: ("ListGroups", "GetGroup", "", "DeleteGroup"),
    KEY: ("ListKeys", "GetKey", "UpdateKey", "DeleteKey"),
}
"""Names of rows: of all, of one, what switches it, what removes it."""


def add_account(ask: Ask, account_id: str | None, name: str, email: str) -> Told:
    """Adds an account."""
    given = {"id": account_id} if account_id else {}
    values = ask("CreateAccount", body={**given, "display_name": name, "email": email})
    return Told(f"account {values['id']} is made", values)


def add_user(ask: Ask, account: str, name: str, groups: tuple[str, ...]) -> Told:
    """Adds a user."""
    values = ask("CreateUser", body={"account": account, "name": name, "groups": list(groups)})
    return Told(f"user {name} of account {account} is made", values)


def add_group(ask: Ask, account: str, name: str) -> Told:
    """Adds a group."""
    return Told(
        f"group {name} of account {account} is made", ask("CreateGroup", body={"account": account, "name": name})
    )


def add_key(ask: Ask, account: str, user: str, given: Values) -> Told:
    """Adds an access key and tells its secret, this once.

    :param given: ``access_key`` and ``secret`` or None for new ones, ``expires`` as text, ``description``, and LIMITS.
    :raises ValueError: when it expires is no time.
    """
    moment(given["expires"])
    lists = {name: list(given[name]) for name in LIMITS if given[name]}
    texts = {name: given[name] for name in ("access_key", "secret", "expires", "description") if given[name]}
    whose_ = {"account": account, **({"user": user} if user else {})}
    values = ask("CreateKey", body={**whose_, **texts, **lists})
    return Told(f"access key: {values['access_key']}\nsecret key: {values['secret_key']}", values)


def remove(ask: Ask, kind: str, name: str) -> str:
    """Removes one."""
    ask(_VERBS[kind][3], path_of(kind, name))
    return f"{kind} {name} is removed"


def switch(ask: Ask, kind: str, name: str, enabled: bool) -> str:
    """Switches one on or off."""
    ask(_VERBS[kind][2], path_of(kind, name), {"enabled": enabled})
    return f"{kind} {name} is {'enabled' if enabled else 'disabled'}"


def change_groups(ask: Ask, account: str, name: str, group: str, joins: bool) -> str:
    """Makes a user a member of a group, or no longer."""
    ask("AddUserToGroup" if joins else "RemoveUserFromGroup", {"account": account, "user": name, "group": group})
    return f"user {account}/{name} is {'in' if joins else 'no longer in'} group {group}"


def attach(ask: Ask, account: str, name: str, kind: str, policy: Path | None, policy_name: str) -> str:
    """Gives a user or a group a policy, or takes the policy of that name away when no file is given. Raises OSError."""
    text = None if policy is None else policy.read_text()
    row = f"{'Delete' if text is None else 'Put'}{kind.capitalize()}Policy"
    ask(row, {"account": account, kind: name, "policy": policy_name}, text)
    return f"policy {policy_name} of {kind} {account}/{name} is {'removed' if policy is None else 'set'}"


def listed(ask: Ask, kind: str) -> Told:
    """A line for each of a kind; no secrets."""
    found = ask(_VERBS[kind][0])
    return Told("\n".join(_LINES[kind](one) for one in found) or f"no {kind}s", found)


def shown(ask: Ask, kind: str, name: str) -> Told:
    """All that is kept of one, policies as they were attached; no secrets."""
    values = ask(_VERBS[kind][1], path_of(kind, name))
    return Told(json.dumps(values, indent=2, ensure_ascii=False), values)


def path_of(kind: str, name: str) -> dict[str, str]:
    """The places of the path of one. Raises ValueError as :func:`whose`."""
    if kind in (USER, GROUP):
        account, own = whose(name)
        return {"account": account, kind: own}
    return {kind: name}


def _key_line(key: Values) -> str:
    told = [key["access_key"], f"{key['account']}/{key['user']}" if key["user"] else key["account"]]
    if key.get("damaged"):
        told.append("damaged: revoke it")
    if not key["enabled"]:
        told.append("disabled")
    if key["expires"] is not None:
        over = (moment(key["expires"]) or 0.0) <= time.time()
        told.append(f"{'expired' if over else 'expires'} {key['expires']}")
    told += [f"{name} {','.join(texts)}" for name, texts in (key["scope"] or {}).items() if texts]
    return "  ".join([*told, key["description"]]).rstrip()


_LINES: dict[str, Callable[[Any], str]] = {
    ACCOUNT: lambda one: "  ".join(
        filter(None, (one["id"], one["display_name"], one["email"], "" if one["enabled"] else "disabled"))
    ),
    USER: lambda one: "  ".join(
        [
            f"{one['account']}/{one['name']}",
            *one["policies"],
            *(f"in {group}" for group in one["groups"]),
            *([] if one["enabled"] else ["disabled"]),
        ]
    ),
    GROUP: lambda one: "  ".join([f"{one['account']}/{one['name']}", *one["policies"]]),
    KEY: _key_line,
}


def whose(name: str, account: str = "") -> tuple[str, str]:
    """Account and name of ``NAME`` or ``ACCOUNT/NAME``; without an account that of the settings' key pair.

    :raises ValueError: two accounts are named, or one and nobody in it.
    """
    named, slash, own = name.partition("/")
    if not slash:
        return account or ROOT_ACCOUNT, name
    if not own:
        raise ValueError(f"{name!r} names an account and nobody in it")
    if account not in ("", named):
        raise ValueError(f"{name!r} is of account {named!r}, not of {account!r}")
    return named, own
