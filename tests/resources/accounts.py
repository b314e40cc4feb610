"""A town of several accounts and users, and a service that believes everybody who says who they are."""

import json
from collections.abc import Mapping
from typing import Any

from attrs import evolve
from zope.interface import implementer

from gecko_tw.callers.access.policies import Policy, Principal, read_identity_policy
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, Account, Caller, Identity, IIdentities, User
from gecko_tw.callers.signatures.form_policy import LengthRange
from gecko_tw.wire.head import Head
from tests.resources.asking import FakeRequest, Shop, shop

EVERYTHING = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def identity_policy(*statements: dict[str, Any]) -> Policy:
    """A policy of a user."""
    return read_identity_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), "test")


@implementer(IIdentities)
class Town:
    """Accounts ``main`` and ``alt`` with a root key each of the same name, users of theirs, and the superuser ``root``."""

    def __init__(self) -> None:
        self.identities: dict[str, Identity] = {}
        self.settle("root", ROOT_ACCOUNT, superuser=True)
        for name in ("main", "alt"):
            self.settle(name, name)
        self.settle("ann", "main", "ann", policies=(identity_policy(EVERYTHING),))
        self.settle("bob", "main", "bob")
        self.settle("eve", "alt", "eve", policies=(identity_policy(EVERYTHING),))

    def settle(self, key: str, account: str, user: str = "", **more: Any) -> None:
        """Somebody new, or somebody else, has an access key."""
        principal = Principal(account=account, user_name=user, user_id=user.upper(), canonical_id=account)
        self.identities[key] = Identity(access_key=key, secret="", principal=principal, **more)

    def change(self, key: str, **changes: Any) -> None:
        """Somebody has other policies, or boundaries."""
        self.identities[key] = evolve(self.identities[key], **changes)

    def find(self, access_key: str) -> Identity | None:
        return self.identities.get(access_key)

    def session(self, access_key: str, token: str) -> Identity | None:
        return None

    def account(self, account_id: str) -> Account | None:
        known = {identity.account for identity in self.identities.values()}
        if account_id not in known:
            return None
        return Account(id=account_id, display_name=f"The {account_id}", email=f"{account_id}@example.com")

    def role(self, account_id: str, name: str) -> None:
        """Nobody has any."""

    def provider(self, account_id: str, issuer: str) -> None:
        """Nobody has any."""

    def user(self, account_id: str, name: str) -> User | None:
        there = {(one.account, one.principal.user_name) for one in self.identities.values()}
        return User(account=account_id, name=name) if name and (account_id, name) in there else None

    def account_by_email(self, email: str) -> Account | None:
        return self.account(email.lower().removesuffix("@example.com"))


class Believing:
    """Takes the ``Authorization`` header, or a form's field ``x-ignore-by``, as the access key, without any proof."""

    def __init__(self, town: Town) -> None:
        self._town = town

    def authenticate(self, head: Head) -> Caller:
        key = head.headers.get(b"authorization")
        return Caller() if key is None else Caller(identity=self._town.find(key.decode()), kind="header")

    def authenticate_form(self, bucket: str, fields: Mapping[str, str]) -> tuple[Caller, LengthRange]:
        key = fields.get("x-ignore-by")
        caller = Caller() if key is None else Caller(identity=self._town.find(key), kind="form")
        return caller, LengthRange()


def market(**settings: Any) -> tuple[Shop, Town]:
    """A service in that town."""
    town = Town()
    there = shop(**settings)
    there.service.identities = town
    there.service.authenticator = Believing(town)
    return there, town


def ask(there: Shop, who: str | None, method: str, target: str, body: bytes = b"", **headers: str) -> FakeRequest:
    """One request of somebody, or of nobody (None); ``x_amz_acl="private"`` is a header."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if who is not None:
        given["authorization"] = who
    return there.ask(method, target, body, headers=given)


def put_policy(there: Shop, bucket: str, *statements: dict[str, Any], who: str = "main") -> FakeRequest:
    """Gives a bucket a policy; a statement without them is about everybody, every action and the whole bucket."""
    usual = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    document = {"Version": "2012-10-17", "Statement": [{**usual, **statement} for statement in statements]}
    return ask(there, who, "PUT", f"/{bucket}?policy", json.dumps(document).encode())
