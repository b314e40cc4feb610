"""Accounts and tokens: a token is an access key of an account, limited to what it was given."""

import secrets
from uuid import uuid4

from gecko_tw.admin.rows import DELETE, GET, Asked, row
from gecko_tw.admin.schemas import answer, listed, maybe, members, several, text
from gecko_tw.callers.accounts import changes
from gecko_tw.callers.accounts.registered import ACCOUNT, KEY, ListedKey
from gecko_tw.callers.accounts.scopes import KeyScope
from gecko_tw.callers.refusals import NoSuchEntity
from gecko_tw.resources.dispatch.operations import POST
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

_TEXT = {"type": "string"}
_TEXTS = listed(_TEXT)
_GIVEN = maybe(several(text(1024, least=1), 100))
ACCOUNTS = answer(account_id=_TEXT, name=_TEXT, created_at=_TEXT, status=_TEXT)
TOKENS = members(
    ["token_id", "account_id", "name", "secret_hash", "allowed_actions", "created_at", "status"],
    token_id=_TEXT,
    account_id=_TEXT,
    name=_TEXT,
    secret_hash=_TEXT,
    allowed_actions=_TEXTS,
    bucket_scope=_TEXTS,
    prefix_scope=_TEXTS,
    created_at=_TEXT,
    expires_at=_TEXT,
    status=_TEXT,
)


@row("JayCreateAccount", POST, "/accounts", needs=None, body=members(name=text(256)), answer=ACCOUNTS, status=201)
def create_account(asked: Asked) -> Json:
    """Adds an account; there may be several of a name."""
    registry = asked.ground.registry
    made = changes.add_account(registry, None, asked.given("name", ""), "")
    created = registry.documents.get(ACCOUNT, made.id)
    moment = asked.ground.clock() if created is None else created["created"]
    return {
        "account_id": made.id,
        "name": made.display_name,
        "created_at": changes.time_text(moment),
        "status": "active",
    }


@row(
    "JayCreateToken",
    POST,
    "/tokens",
    needs=None,
    body=members(
        account_id=text(128),
        name=text(1024),
        allowed_actions=_GIVEN,
        bucket_scope=_GIVEN,
        prefix_scope=_GIVEN,
        expires_at=maybe(text(40)),
    ),
    answer=answer(token_id=_TEXT, secret=_TEXT),
    status=201,
)
def create_token(asked: Asked) -> Json:
    """Adds a token and tells its secret, this once."""
    given, registry = asked.given, asked.ground.registry
    account = given("account_id", "")
    if not account:
        raise InvalidArgument("account_id required")
    if registry.account(account) is None:
        raise InvalidArgument("account not found")
    if not given("allowed_actions"):
        raise InvalidArgument("allowed_actions is required")
    values = {
        "access_key": str(uuid4()),
        "secret": secrets.token_hex(32),
        "description": given("name", ""),
        "expires": _expires(given("expires_at")),
        "actions": given("allowed_actions"),
        "buckets": given("bucket_scope"),
        "prefixes": given("prefix_scope"),
    }
    key = changes.add_key(registry, account, "", values)
    return {"token_id": key.access_key, "secret": key.secret}


def _expires(text_: str | None) -> float | None:
    try:
        return changes.moment(text_ or None)
    except ValueError as wrong:
        raise InvalidArgument(f"expires_at: {wrong}") from None


@row(
    "JayListTokens",
    GET,
    "/tokens",
    needs=None,
    query=members(account_id=text(128)),
    answer=maybe(listed(TOKENS)),
)
def list_tokens(asked: Asked) -> Json:
    """The keys of whole accounts, or of one; those of users are not tokens, as policies say what they may."""
    account = asked.query.get("account_id", "")
    found = [one for one in asked.ground.registry.listed_keys() if account in ("", one.key.account)]
    return [_told(one) for one in found if not one.key.user] or None


def _told(one: ListedKey) -> dict[str, Json]:
    key, scope = one.key, one.key.scope or KeyScope()
    told: dict[str, Json] = {
        "token_id": key.access_key,
        "account_id": key.account,
        "name": key.description,
        "secret_hash": "",
        "allowed_actions": list(scope.actions or ("*",)),
        "created_at": changes.time_text(key.created),
        "status": "active" if key.enabled and not one.damaged else "revoked",
    }
    for name, texts in (("bucket_scope", scope.buckets), ("prefix_scope", scope.prefixes)):
        told |= {name: list(texts)} if texts else {}
    return told if key.expires is None else {**told, "expires_at": changes.time_text(key.expires)}


@row("JayRevokeToken", DELETE, "/tokens/{token}", needs=None)
def revoke_token(asked: Asked) -> Json:
    """Revokes a token: all processes refuse it at once."""
    registry, name = asked.ground.registry, asked.path["token"]
    kept = registry.documents.get(KEY, name)
    if kept is None or kept["user"]:
        raise NoSuchEntity("token not found")
    changes.remove(registry, KEY, name)
