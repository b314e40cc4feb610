"""The account that the settings seed, for deployments that are made by a machine."""

from twisted.logger import Logger

from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT, AccessKey, Account
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.sealing import WrongKey
from gecko_tw.settings import BadSetting, Settings
from gecko_tw.store.refusals import Refusal

_log = Logger()

KIND = "seed"
"""The documents that say which access keys were seeded, with which secrets: a pair that was revoked stays revoked."""


def seed(registry: Registry, settings: Settings) -> None:
    """Makes the seeded account and its key, once; what is there stays as it is. Raises BadSetting when one of them cannot be."""
    if not settings.seed_account:
        return
    try:
        _seed(registry, settings)
    except (Refusal, WrongKey) as problem:
        raise BadSetting(f"--seed-account, --seed-key-id and --seed-secret: {problem}") from problem


def _seed(registry: Registry, settings: Settings) -> None:
    account, key_id = settings.seed_account, settings.seed_key_id
    found = registry.key(key_id)
    if settings.seed_secret not in _seeded(registry, key_id):
        if account != ROOT_ACCOUNT and registry.account(account) is None:
            registry.put_account(Account(id=account, display_name=account))
            _log.info("account {account} is made", account=account)
        if found is None:
            found = AccessKey(access_key=key_id, secret=settings.seed_secret, account=account)
            registry.add_key(found)
            _log.info("access key {key} of account {account} is made", key=key_id, account=account)
        if found.secret == settings.seed_secret:
            sealed = registry.sealer.seal(settings.seed_secret, f"{KIND} {key_id}")
            registry.documents.change(
                KIND, key_id, lambda known: {"secrets": [*(known or {}).get("secrets", ()), sealed]}
            )
    if found is None:
        _log.info(
            "access key {key} was seeded before, and removed since: it is made again with another secret only",
            key=key_id,
        )
    elif found.secret != settings.seed_secret or found.account != account:
        _log.warn("access key {key} is there already, with another secret or account: it stays as it is", key=key_id)


def _seeded(registry: Registry, key_id: str) -> list[str]:
    """The secrets that an access key was seeded with so far. Raises WrongKey."""
    known = registry.documents.get(KIND, key_id) or {"secrets": ()}
    return [registry.sealer.open(sealed, f"{KIND} {key_id}") for sealed in known["secrets"]]
