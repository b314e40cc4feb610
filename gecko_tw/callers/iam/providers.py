"""OpenID Connect providers.

Source: IAM API Reference, CreateOpenIDConnectProvider to UpdateOpenIDConnectProviderThumbprint.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from attrs import evolve

from gecko_tw.callers.accounts.registered import PROVIDER
from gecko_tw.callers.accounts.registry import Changes, Registry
from gecko_tw.callers.accounts.roles import Provider
from gecko_tw.callers.iam.names import check_new, check_quota, place, with_tags
from gecko_tw.callers.refusals import NoSuchEntity
from gecko_tw.store.refusals import InvalidArgument

_THUMBPRINT = re.compile(r"[0-9A-Za-z]{40}")
_LONGEST = 255


def create_provider(
    registry: Registry,
    account: str,
    url: str,
    clients: Sequence[str],
    thumbprints: Sequence[str],
    tags: Mapping[str, str],
) -> Provider:
    """A new provider. Raises EntityAlreadyExists, InvalidArgument, LimitExceeded."""
    provider = Provider(
        account=account,
        url=_checked_url(url),
        clients=_checked_clients(clients),
        thumbprints=_checked_thumbprints(thumbprints),
        tags=tags,
        created=int(time.time()),
    )

    def plan() -> tuple[Provider, Changes]:
        check_new(registry, PROVIDER, account, provider.name)
        return provider, {place(PROVIDER, provider): provider}

    return registry.settle(plan)


def find_provider(registry: Registry, account: str, arn: str) -> Provider:
    """One by its ARN. Raises NoSuchEntity."""
    found: Provider | None = registry.one(PROVIDER, f"{account}/{arn.partition(':oidc-provider/')[2]}")
    if found is None or found.arn != arn:
        raise NoSuchEntity(f"OpenIDConnect Provider not found for arn {arn}")
    return found


def delete_provider(registry: Registry, account: str, arn: str) -> None:
    """Removes one: whoever it vouches for can assume no role any more. Raises NoSuchEntity."""

    def plan() -> tuple[None, Changes]:
        return None, {place(PROVIDER, find_provider(registry, account, arn)): None}

    registry.settle(plan)


def _changed(registry: Registry, account: str, arn: str, change: Callable[[Provider], Provider]) -> None:
    def plan() -> tuple[None, Changes]:
        provider = find_provider(registry, account, arn)
        return None, {place(PROVIDER, provider): change(provider)}

    registry.settle(plan)


def add_client(registry: Registry, account: str, arn: str, client: str) -> None:
    """Accepts tokens for a further client. Raises NoSuchEntity, InvalidArgument, LimitExceeded."""

    def change(provider: Provider) -> Provider:
        more = provider.clients if client in provider.clients else (*provider.clients, client)
        return evolve(provider, clients=_checked_clients(more))

    _changed(registry, account, arn, change)


def remove_client(registry: Registry, account: str, arn: str, client: str) -> None:
    """No longer; it need not be there. Raises NoSuchEntity."""

    def change(provider: Provider) -> Provider:
        return evolve(provider, clients=tuple(one for one in provider.clients if one != client))

    _changed(registry, account, arn, change)


def set_thumbprints(registry: Registry, account: str, arn: str, thumbprints: Sequence[str]) -> None:
    """Replaces the thumbprints. Raises NoSuchEntity, InvalidArgument, LimitExceeded."""
    checked = _checked_thumbprints(thumbprints)
    _changed(registry, account, arn, lambda provider: evolve(provider, thumbprints=checked))


def set_tags(registry: Registry, account: str, arn: str, tags: Mapping[str, str]) -> None:
    """Sets tags; others stay. Raises NoSuchEntity, LimitExceeded."""
    _changed(registry, account, arn, lambda provider: evolve(provider, tags=with_tags(provider.tags, tags)))


def remove_tags(registry: Registry, account: str, arn: str, keys: Iterable[str]) -> None:
    """Removes tags. Raises NoSuchEntity."""
    gone = frozenset(keys)

    def change(provider: Provider) -> Provider:
        return evolve(provider, tags={key: value for key, value in provider.tags.items() if key not in gone})

    _changed(registry, account, arn, change)


def _checked_url(url: str) -> str:
    """An issuer as OpenID Connect Discovery 1.0 allows it, and http for those in a network of one's own."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host = None
    plain = host and url.isascii() and url.isprintable() and len(url) <= _LONGEST and " " not in url
    if not plain or parts.scheme not in ("https", "http") or parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidArgument(
            "The URL of a provider must be https:// or http://, a host and maybe a path, in at most 255 characters.",
            ArgumentValue=url,
        )
    return url


def _checked_clients(clients: Sequence[str]) -> tuple[str, ...]:
    check_quota(len(clients), "ClientIdsPerOpenIdConnectProvider")
    for client in clients:
        if not 1 <= len(client) <= _LONGEST:
            raise InvalidArgument(f"A client id must have 1 to {_LONGEST} characters.", ArgumentValue=client)
    return tuple(dict.fromkeys(clients))


def _checked_thumbprints(thumbprints: Sequence[str]) -> tuple[str, ...]:
    check_quota(len(thumbprints), "ThumbprintsPerOpenIdConnectProvider")
    for thumbprint in thumbprints:
        if _THUMBPRINT.fullmatch(thumbprint) is None:
            raise InvalidArgument("A thumbprint must have 40 hexadecimal digits.", ArgumentValue=thumbprint)
    return tuple(thumbprints)
