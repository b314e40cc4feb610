"""IAM's actions about OpenID Connect providers.

Source: IAM API Reference, CreateOpenIDConnectProvider to UpdateOpenIDConnectProviderThumbprint.
"""

from collections.abc import Iterable

from gecko_tw.callers.accounts.arns import arn_of
from gecko_tw.callers.accounts.registered import PROVIDER
from gecko_tw.callers.accounts.roles import Provider
from gecko_tw.callers.iam import providers
from gecko_tw.callers.iam.names import of_account
from gecko_tw.resources.dispatch.operations import Subject, action
from gecko_tw.resources.documents.iam import PAGED, Asked, Told, date, everything, page_of_tags, tags_told

_ARN = "OpenIDConnectProviderArn"


def _provider(asked: Asked) -> Iterable[Subject]:
    """The one that the form names."""
    arn = asked.form.need(_ARN)
    found = asked.registry.one(PROVIDER, f"{asked.account}/{arn.partition(':oidc-provider/')[2]}")
    return (Subject(arn, {} if found is None else found.tags),)


def _new(asked: Asked) -> Iterable[Subject]:
    name = asked.form.need("Url").partition("://")[2]
    return (Subject(arn_of("oidc-provider", asked.account, "/", name)),)


def _find(asked: Asked) -> Provider:
    return providers.find_provider(asked.registry, asked.account, asked.form.need(_ARN))


@action("CreateOpenIDConnectProvider", "Url", "ClientIDList", "ThumbprintList", "Tags", about=_new)
def create_open_id_connect_provider(asked: Asked) -> Told:
    form, tags = asked.form, asked.tags()
    provider = providers.create_provider(
        asked.registry,
        asked.account,
        form.need("Url"),
        form.texts("ClientIDList"),
        form.texts("ThumbprintList"),
        tags,
    )
    return {_ARN: provider.arn, "Tags": tags_told(tags) or None}


@action("GetOpenIDConnectProvider", _ARN, about=_provider)
def get_open_id_connect_provider(asked: Asked) -> Told:
    """The URL is told without ``https://``, as by AWS, which knows no other."""
    provider = _find(asked)
    return {
        "Url": provider.url.removeprefix("https://"),
        "ClientIDList": provider.clients,
        "ThumbprintList": provider.thumbprints,
        "CreateDate": date(provider.created),
        "Tags": tags_told(provider.tags) or None,
    }


@action("ListOpenIDConnectProviders", about=everything)
def list_open_id_connect_providers(asked: Asked) -> Told:
    found: list[Provider] = of_account(asked.registry, PROVIDER, asked.account)
    return {"OpenIDConnectProviderList": [{"Arn": provider.arn} for provider in found]}


@action("DeleteOpenIDConnectProvider", _ARN, about=_provider)
def delete_open_id_connect_provider(asked: Asked) -> None:
    providers.delete_provider(asked.registry, asked.account, asked.form.need(_ARN))


@action("AddClientIDToOpenIDConnectProvider", _ARN, "ClientID", about=_provider)
def add_client_id_to_open_id_connect_provider(asked: Asked) -> None:
    providers.add_client(asked.registry, asked.account, asked.form.need(_ARN), asked.form.need("ClientID"))


@action("RemoveClientIDFromOpenIDConnectProvider", _ARN, "ClientID", about=_provider)
def remove_client_id_from_open_id_connect_provider(asked: Asked) -> None:
    providers.remove_client(asked.registry, asked.account, asked.form.need(_ARN), asked.form.need("ClientID"))


@action("UpdateOpenIDConnectProviderThumbprint", _ARN, "ThumbprintList", about=_provider)
def update_open_id_connect_provider_thumbprint(asked: Asked) -> None:
    arn, thumbprints = asked.form.need(_ARN), asked.form.texts("ThumbprintList")
    providers.set_thumbprints(asked.registry, asked.account, arn, thumbprints)


@action("TagOpenIDConnectProvider", _ARN, "Tags", about=_provider)
def tag_open_id_connect_provider(asked: Asked) -> None:
    providers.set_tags(asked.registry, asked.account, asked.form.need(_ARN), asked.tags())


@action("UntagOpenIDConnectProvider", _ARN, "TagKeys", about=_provider)
def untag_open_id_connect_provider(asked: Asked) -> None:
    providers.remove_tags(asked.registry, asked.account, asked.form.need(_ARN), asked.form.texts("TagKeys"))


@action("ListOpenIDConnectProviderTags", _ARN, *PAGED, about=_provider)
def list_open_id_connect_provider_tags(asked: Asked) -> Told:
    return page_of_tags(asked, _find(asked).tags)
