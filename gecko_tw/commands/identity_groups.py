"""The command line of accounts, users, groups, access keys and encryption keys."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gecko_tw.callers.accounts.registry import ACCOUNT, GROUP, KEY, USER
from gecko_tw.commands.telling import Told, not_empty


def _option(*names: str, **more: Any) -> Any:
    """An option whose text must not be empty: what is not given means something else."""
    return click.option(*names, callback=not_empty, **more)


_OF = _option("--account", default="", metavar="ID", help="Whose; without it the account of the settings' key pair.")


def groups(asking: Callable[..., Any], with_data: Callable[..., Any]) -> list[click.Command]:
    """The command groups ``account``, ``user``, ``group``, ``key`` and ``keys``, and the command ``rekey``.

    :param asking: decorates a command that is called with an Ask and its own parameters, and returns what to tell.
    :param with_data: the same with an open data directory.
    """
    return [
        _accounts(asking),
        _users(asking),
        _groups(asking),
        _access_keys(asking),
        _encryption_keys(asking),
        _rekey(with_data),
    ]


def _listing(group: click.Group, kind: str, asking: Callable[..., Any]) -> None:
    @group.command("list")
    @asking()
    def list_command(ask: Any) -> str:
        """List all."""
        from gecko_tw.commands.identities import listed

        return listed(ask, kind)

    @group.command("show")
    @click.argument("name", callback=not_empty)
    @asking("name")
    def show_command(ask: Any, name: str) -> str:
        """Show all that is kept of one, attached policies as they are; no secrets."""
        from gecko_tw.commands.identities import shown

        return shown(ask, kind, name)


def _removal(group: click.Group, kind: str, asking: Callable[..., Any], word: str = "remove") -> None:
    @group.command(word)
    @click.argument("name")
    @asking("name")
    def remove_command(ask: Any, name: str) -> str:
        """Remove one; every process of a running daemon refuses it from now on."""
        from gecko_tw.commands.identities import remove

        return remove(ask, kind, name)


def _switches(group: click.Group, kind: str, asking: Callable[..., Any]) -> None:
    @group.command("disable")
    @click.argument("name")
    @asking("name")
    def disable(ask: Any, name: str) -> str:
        """Refuse its requests until it is enabled again."""
        from gecko_tw.commands.identities import switch

        return switch(ask, kind, name, False)

    @group.command("enable")
    @click.argument("name")
    @asking("name")
    def enable(ask: Any, name: str) -> str:
        """Accept its requests again."""
        from gecko_tw.commands.identities import switch

        return switch(ask, kind, name, True)


def _accounts(asking: Callable[..., Any]) -> click.Group:
    @click.group()
    def account() -> None:
        """Accounts: who owns buckets and objects."""

    @account.command("add")
    @click.argument("account_id", metavar="[ID]", required=False, callback=not_empty)
    @click.option("--name", default="", help="The name that is shown.")
    @click.option("--email", default="", help="The e-mail address that grants may name.")
    @asking("account_id", "name", "email")
    def add(ask: Any, account_id: str | None, name: str, email: str) -> str:
        """Add an account."""
        from gecko_tw.commands.identities import add_account

        return add_account(ask, account_id, name, email)

    _switches(account, ACCOUNT, asking)

    _listing(account, ACCOUNT, asking)
    _removal(account, ACCOUNT, asking)
    return account


def _users(asking: Callable[..., Any]) -> click.Group:
    @click.group()
    def user() -> None:
        """Users of an account: they may do what policies allow. Named NAME or ACCOUNT/NAME."""

    @user.command("add")
    @click.argument("name")
    @_option("--group", "names", multiple=True, help="A group of the account; may be given more than once.")
    @_OF
    @asking("name", "names", "account")
    def add(ask: Any, name: str, names: tuple[str, ...], account: str) -> str:
        """Add a user."""
        from gecko_tw.commands.identities import add_user, whose

        return add_user(ask, *whose(name, account), names)

    _policies(user, USER, asking)
    _membership(user, asking)
    _switches(user, USER, asking)
    _listing(user, USER, asking)
    _removal(user, USER, asking)
    return user


def _membership(user: click.Group, asking: Callable[..., Any]) -> None:
    @user.command("join")
    @click.argument("name")
    @click.argument("group")
    @_OF
    @asking("name", "group", "account")
    def join(ask: Any, name: str, group: str, account: str) -> str:
        """Make a user a member of GROUP."""
        from gecko_tw.commands.identities import change_groups, whose

        return change_groups(ask, *whose(name, account), group, True)

    @user.command("leave")
    @click.argument("name")
    @click.argument("group")
    @_OF
    @asking("name", "group", "account")
    def leave(ask: Any, name: str, group: str, account: str) -> str:
        """Take a user out of GROUP."""
        from gecko_tw.commands.identities import change_groups, whose

        return change_groups(ask, *whose(name, account), group, False)


def _groups(asking: Callable[..., Any]) -> click.Group:
    @click.group()
    def group() -> None:
        """Groups: policies for several users of an account."""

    @group.command("add")
    @click.argument("name")
    @_OF
    @asking("name", "account")
    def add(ask: Any, name: str, account: str) -> str:
        """Add a group."""
        from gecko_tw.commands.identities import add_group, whose

        return add_group(ask, *whose(name, account))

    _policies(group, GROUP, asking)
    _listing(group, GROUP, asking)
    _removal(group, GROUP, asking)
    return group


def _policies(group: click.Group, kind: str, asking: Callable[..., Any]) -> None:
    @group.command("attach")
    @click.argument("name")
    @click.argument("policy_name", metavar="POLICY")
    @click.argument("file", type=click.Path(path_type=Path))
    @_OF
    @asking("name", "policy_name", "file", "account")
    def attach_command(ask: Any, name: str, policy_name: str, file: Path, account: str) -> str:
        """Give it the policy in FILE, under the name POLICY."""
        from gecko_tw.commands.identities import attach, whose

        return attach(ask, *whose(name, account), kind, file, policy_name)

    @group.command("detach")
    @click.argument("name")
    @click.argument("policy_name", metavar="POLICY")
    @_OF
    @asking("name", "policy_name", "account")
    def detach_command(ask: Any, name: str, policy_name: str, account: str) -> str:
        """Take a policy away."""
        from gecko_tw.commands.identities import attach, whose

        return attach(ask, *whose(name, account), kind, None, policy_name)


def _access_keys(asking: Callable[..., Any]) -> click.Group:
    @click.group()
    def key() -> None:
        """Access keys of accounts and users."""

    own = (
        "access_key",
        "secret",
        "user",
        "account",
        "expires",
        "description",
        "actions",
        "buckets",
        "prefixes",
        "networks",
    )

    @key.command("add")
    @_option("--id", "access_key", help="The access key id; without it one is made.")
    @_option("--secret", envvar="GECKOS3_NEW_SECRET", help="Its secret; without it one is made.")
    @_option("--user", default="", help="Whose; without it the key may do everything in the account.")
    @_OF
    @_option("--expires", metavar="TIME", help="When it stops to work, e.g. 2030-01-31.")
    @click.option("--description", default="")
    @_option("--action", "actions", multiple=True, help="Limit it to these actions, e.g. s3:GetObject or object:get.")
    @_option("--bucket", "buckets", multiple=True, help="Limit it to these buckets.")
    @_option("--prefix", "prefixes", multiple=True, help="Limit it to keys that begin so.")
    @_option("--network", "networks", multiple=True, help="Limit it to clients from there, e.g. 10.0.0.0/8.")
    @asking(*own)
    def add(ask: Any, user: str, account: str, expires: str | None, **given: Any) -> str:
        """Add a key and print its secret, this once."""
        from gecko_tw.commands.identities import add_key, whose

        return add_key(ask, *whose(user, account), {**given, "expires": expires})

    _switches(key, KEY, asking)
    _listing(key, KEY, asking)
    _removal(key, KEY, asking, "revoke")
    return key


def _encryption_keys(asking: Callable[..., Any]) -> click.Group:
    @click.group()
    def keys() -> None:
        """Keys of server-side encryption."""

    @keys.command("list")
    @asking()
    def list_command(ask: Any) -> str:
        """List their names."""
        found = ask("ListEncryptionKeys")
        lines = [f"{one['name'] or '(SSE-S3)'} {one['generations']}" for one in found]
        return Told("\n".join(lines) or "no key has been made yet", found)

    @keys.command("add")
    @click.argument("name", callback=not_empty)
    @asking("name")
    def add(ask: Any, name: str) -> str:
        """Add a key for SSE-KMS."""
        return str(ask("CreateEncryptionKey", body={"name": name})["message"])

    @keys.command("rotate")
    @click.argument("name", required=False)
    @asking("name")
    def rotate(ask: Any, name: str | None) -> str:
        """Encrypt with a new generation of a key from now on; without NAME that of SSE-S3."""
        return str(ask("RotateEncryptionKey", body={"name": name})["message"])

    return keys


def _rekey(with_data: Callable[..., Any]) -> click.Command:
    @click.command("rekey")
    @with_data()
    def rekey(data: Any) -> str:
        """Change the encryption key: to GECKOS3_NEW_ENCRYPTION_KEY, or to a new one in the key's file."""
        return str(data.rekey(os.environ.get("GECKOS3_NEW_ENCRYPTION_KEY", "")))

    return rekey
