"""IAM's actions about users and their access keys.

Source: IAM API Reference, CreateUser to ListUsers, CreateAccessKey to UpdateAccessKey.
"""

from gecko_tw.callers.accounts.last_use import last_use
from gecko_tw.callers.accounts.registered import USER
from gecko_tw.callers.iam import access_keys, people
from gecko_tw.callers.iam.names import find, of_account
from gecko_tw.callers.refusals import NoSuchEntity
from gecko_tw.resources.dispatch.operations import action
from gecko_tw.resources.documents.iam import (
    PAGED,
    Asked,
    Told,
    date,
    everything,
    key_told,
    named,
    new,
    own_user,
    owner_of_key,
    page,
    page_of_tags,
    renamed,
    user_told,
    with_prefix,
)


@action("CreateUser", "UserName", "Path", "Tags", about=new(USER))
def create_user(asked: Asked) -> Told:
    form = asked.form
    user = people.create_user(
        asked.registry, asked.account, form.need("UserName"), form.get("Path") or "/", asked.tags()
    )
    return {"User": user_told(user, whole=True)}


@action("GetUser", "UserName", about=own_user)
def get_user(asked: Asked) -> Told:
    """Without a name who asks: of the account itself there is little to tell."""
    name = asked.own()
    if name:
        return {"User": user_told(find(asked.registry, USER, asked.account, name), whole=True)}
    return {"User": {"UserId": asked.account, "Arn": f"arn:aws:iam::{asked.account}:root"}}


@action("ListUsers", "PathPrefix", *PAGED, about=everything)
def list_users(asked: Asked) -> Told:
    found = with_prefix(asked, of_account(asked.registry, USER, asked.account))
    users, more = page(asked, found, lambda user: user.name)
    return {"Users": [user_told(user) for user in users], **more}


@action("UpdateUser", "UserName", "NewUserName", "NewPath", about=renamed(USER))
def update_user(asked: Asked) -> None:
    form = asked.form
    people.update_user(
        asked.registry, asked.account, form.need("UserName"), form.get("NewUserName"), form.get("NewPath")
    )


@action("DeleteUser", "UserName", about=named(USER))
def delete_user(asked: Asked) -> None:
    people.delete_user(asked.registry, asked.account, asked.form.need("UserName"))


@action("TagUser", "UserName", "Tags", about=named(USER))
def tag_user(asked: Asked) -> None:
    people.tag(asked.registry, USER, asked.account, asked.form.need("UserName"), asked.tags())


@action("UntagUser", "UserName", "TagKeys", about=named(USER))
def untag_user(asked: Asked) -> None:
    people.untag(asked.registry, USER, asked.account, asked.form.need("UserName"), asked.form.texts("TagKeys"))


@action("ListUserTags", "UserName", *PAGED, about=named(USER))
def list_user_tags(asked: Asked) -> Told:
    user = find(asked.registry, USER, asked.account, asked.form.need("UserName"))
    return page_of_tags(asked, user.tags)


@action("CreateAccessKey", "UserName", about=own_user)
def create_access_key(asked: Asked) -> Told:
    """The secret is told this once. Without a name the key is that of who asks."""
    key = access_keys.create_key(asked.registry, asked.account, asked.own())
    return {"AccessKey": {**key_told(key), "SecretAccessKey": key.secret}}


@action("GetAccessKeyLastUsed", "AccessKeyId", about=owner_of_key)
def get_access_key_last_used(asked: Asked) -> Told:
    """To a quarter of an hour, and told a minute later."""
    key = access_keys.key_of(asked.registry, asked.account, asked.form.need("AccessKeyId"))
    use = last_use(asked.registry.documents, key.access_key)
    told = {"ServiceName": "N/A", "Region": "N/A"}
    if use is not None and use.at >= key.created:
        told = {"LastUsedDate": date(use.at), "ServiceName": use.service, "Region": asked.region}
    return {"UserName": key.user or None, "AccessKeyLastUsed": told}


@action("ListAccessKeys", "UserName", *PAGED, about=own_user)
def list_access_keys(asked: Asked) -> Told:
    user = access_keys.owner_of(asked.registry, asked.account, asked.own())
    found = sorted(
        access_keys.keys_of(asked.registry, asked.account, user),
        key=lambda key: (key.access_key.lower(), key.access_key),
    )
    keys, more = page(asked, found, lambda key: key.access_key)
    return {"AccessKeyMetadata": [key_told(key) for key in keys], **more}


@action("UpdateAccessKey", "UserName", "AccessKeyId", "Status", about=own_user)
def update_access_key(asked: Asked) -> None:
    key_id, _ = asked.form.need("AccessKeyId"), asked.form.need("Status")
    enabled = asked.form.one_of("Status", "Inactive", "Active") == "Active"
    access_keys.update_key(asked.registry, asked.account, asked.own(), key_id, enabled)


@action("DeleteAccessKey", "UserName", "AccessKeyId", about=own_user)
def delete_access_key(asked: Asked) -> None:
    access_keys.delete_key(asked.registry, asked.account, asked.own(), asked.form.need("AccessKeyId"))


def _none_of_user(element: str) -> object:
    """What lists something that no user can have here."""

    def perform(asked: Asked) -> Told:
        name = asked.own()
        if name:
            find(asked.registry, USER, asked.account, name)
        return {element: [], "IsTruncated": False}

    return perform


list_mfa_devices, list_signing_certificates, list_ssh_public_keys = (
    action(name, "UserName", *PAGED, about=own_user)(_none_of_user(element))  # type: ignore[arg-type]
    for name, element in (
        ("ListMFADevices", "MFADevices"),
        ("ListSigningCertificates", "Certificates"),
        ("ListSSHPublicKeys", "SSHPublicKeys"),
    )
)


@action("GetLoginProfile", "UserName", about=own_user)
def get_login_profile(asked: Asked) -> Told:
    """Nobody has a password."""
    name = find(asked.registry, USER, asked.account, asked.own()).name
    raise NoSuchEntity(f"Login Profile for User {name} cannot be found.")
