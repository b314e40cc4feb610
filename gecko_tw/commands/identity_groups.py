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


def groups(with_registry: Callable[..., Any], with_data: Callable[..., Any]) -> list[click.Command]:
    """The command groups ``account``, ``user``, ``group``, ``key`` and ``keys``, and the command ``rekey``.

    :param with_registry: decorates a command that is called with a Registry and its own parameters, and returns what to print.
    :param with_data: the same with an open data directory.
    """
    return [
        _accounts(with_registry, with_data),
        _users(with_registry),
        _groups(with_registry),
        _access_keys(with_registry),
        _encryption_keys(with_data),
        _rekey(with_data),
    ]


def _listing(group: click.Group, kind: str, with_registry: Callable[..., Any]) -> None:
    @group.command("list")
    @with_registry()
    def list_command(registry: Any) -> str:
        """List all."""
        from gecko_tw.commands.identities import listed

        return listed(registry, kind)

    @group.command("show")
    @click.argument("name", callback=not_empty)
    @with_registry("name")
    def show_command(registry: Any, name: str) -> str:
        """Show all that is kept of one, attached policies as they are; no secrets."""
        from gecko_tw.commands.identities import shown

        return shown(registry, kind, _full(kind, name))


def _removal(group: click.Group, kind: str, with_registry: Callable[..., Any], word: str = "remove") -> None:
    @group.command(word)
    @click.argument("name")
    @with_registry("name")
    def remove_command(registry: Any, name: str) -> str:
        """Remove one; every process of a running daemon refuses it from now on."""
        registry.remove(kind, _full(kind, name))
        return f"{kind} {name} is removed"


def _switches(group: click.Group, kind: str, with_registry: Callable[..., Any]) -> None:
    @group.command("disable")
    @click.argument("name")
    @with_registry("name")
    def disable(registry: Any, name: str) -> str:
        """Refuse its requests until it is enabled again."""
        registry.enable(kind, _full(kind, name), False)
        return f"{kind} {name} is disabled"

    @group.command("enable")
    @click.argument("name")
    @with_registry("name")
    def enable(registry: Any, name: str) -> str:
        """Accept its requests again."""
        registry.enable(kind, _full(kind, name), True)
        return f"{kind} {name} is enabled"


def _full(kind: str, name: str) -> str:
    """The name of its document."""
    from gecko_tw.commands.identities import whose

    return "/".join(whose(name)) if kind in (USER, GROUP) else name


def _accounts(with_registry: Callable[..., Any], with_data: Callable[..., Any]) -> click.Group:
    @click.group()
    def account() -> None:
        """Accounts: who owns buckets and objects."""

    @account.command("add")
    @click.argument("account_id", metavar="[ID]", required=False, callback=not_empty)
    @click.option("--name", default="", help="The name that is shown.")
    @click.option("--email", default="", help="The e-mail address that grants may name.")
    @with_registry("account_id", "name", "email")
    def add(registry: Any, account_id: str | None, name: str, email: str) -> str:
        """Add an account."""
        from gecko_tw.commands.identities import add_account

        return add_account(registry, account_id, name, email)

    _switches(account, ACCOUNT, with_registry)

    @account.command("remove")
    @click.argument("name")
    @with_data("name")
    def remove(data: Any, name: str) -> str:
        """Remove one that has no users, groups, keys and buckets."""
        from gecko_tw.commands.identities import remove_account

        return remove_account(data.registry, data.driver.catalog, name)

    _listing(account, ACCOUNT, with_registry)
    return account


def _users(with_registry: Callable[..., Any]) -> click.Group:
    @click.group()
    def user() -> None:
        """Users of an account: they may do what policies allow. Named NAME or ACCOUNT/NAME."""

    @user.command("add")
    @click.argument("name")
    @_option("--group", "names", multiple=True, help="A group of the account; may be given more than once.")
    @_OF
    @with_registry("name", "names", "account")
    def add(registry: Any, name: str, names: tuple[str, ...], account: str) -> str:
        """Add a user."""
        from gecko_tw.commands.identities import add_user, whose

        return add_user(registry, *whose(name, account), names)

    _policies(user, USER, with_registry)
    _membership(user, with_registry)
    _switches(user, USER, with_registry)
    _listing(user, USER, with_registry)
    _removal(user, USER, with_registry)
    return user


def _membership(user: click.Group, with_registry: Callable[..., Any]) -> None:
    @user.command("join")
    @click.argument("name")
    @click.argument("group")
    @_OF
    @with_registry("name", "group", "account")
    def join(registry: Any, name: str, group: str, account: str) -> str:
        """Make a user a member of GROUP."""
        from gecko_tw.commands.identities import change_groups, whose

        return change_groups(registry, *whose(name, account), group, True)

    @user.command("leave")
    @click.argument("name")
    @click.argument("group")
    @_OF
    @with_registry("name", "group", "account")
    def leave(registry: Any, name: str, group: str, account: str) -> str:
        """Take a user out of GROUP."""
        from gecko_tw.commands.identities import change_groups, whose

        return change_groups(registry, *whose(name, account), group, False)


def _groups(with_registry: Callable[..., Any]) -> click.Group:
    @click.group()
    def group() -> None:
        """Groups: policies for several users of an account."""

    @group.command("add")
    @click.argument("name")
    @_OF
    @with_registry("name", "account")
    def add(registry: Any, name: str, account: str) -> str:
        """Add a group."""
        from gecko_tw.commands.identities import add_group, whose

        return add_group(registry, *whose(name, account))

    _policies(group, GROUP, with_registry)
    _listing(group, GROUP, with_registry)
    _removal(group, GROUP, with_registry)
    return group


def _policies(group: click.Group, kind: str, with_registry: Callable[..., Any]) -> None:
    @group.command("attach")
    @click.argument("name")
    @click.argument("policy_name", metavar="POLICY")
    @click.argument("file", type=click.Path(path_type=Path))
    @_OF
    @with_registry("name", "policy_name", "file", "account")
    def attach_command(registry: Any, name: str, policy_name: str, file: Path, account: str) -> str:
        """Give it the policy in FILE, under the name POLICY."""
        from gecko_tw.commands.identities import attach, whose

        return attach(registry, *whose(name, account), kind, file, policy_name)

    @group.command("detach")
    @click.argument("name")
    @click.argument("policy_name", metavar="POLICY")
    @_OF
    @with_registry("name", "policy_name", "account")
    def detach_command(registry: Any, name: str, policy_name: str, account: str) -> str:
        """Take a policy away."""
        from gecko_tw.commands.identities import attach, whose

        return attach(registry, *whose(name, account), kind, None, policy_name)


def _access_keys(with_registry: Callable[..., Any]) -> click.Group:
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
    @with_registry(*own)
    def add(registry: Any, user: str, account: str, expires: str | None, **given: Any) -> str:
        """Add a key and print its secret, this once."""
        from gecko_tw.commands.identities import add_key, moment, whose

        return add_key(registry, *whose(user, account), {**given, "expires": moment(expires)})

    _switches(key, KEY, with_registry)
    _listing(key, KEY, with_registry)
    _removal(key, KEY, with_registry, "revoke")
    return key


def _encryption_keys(with_data: Callable[..., Any]) -> click.Group:
    @click.group()
    def keys() -> None:
        """Keys of server-side encryption."""

    @keys.command("list")
    @with_data()
    def list_command(data: Any) -> str:
        """List their names."""
        rings = _rings(data)
        return Told(rings.listed(), rings.values())

    @keys.command("add")
    @click.argument("name", callback=not_empty)
    @with_data("name")
    def add(data: Any, name: str) -> str:
        """Add a key for SSE-KMS."""
        return str(_rings(data).add(name))

    @keys.command("rotate")
    @click.argument("name", required=False)
    @with_data("name")
    def rotate(data: Any, name: str | None) -> str:
        """Encrypt with a new generation of a key from now on; without NAME that of SSE-S3."""
        return str(_rings(data).rotate(name))

    return keys


def _rings(data: Any) -> Any:
    from gecko_tw.store.encryption.keyring import rings_of

    return rings_of(data.driver.documents, data.sealer)


def _rekey(with_data: Callable[..., Any]) -> click.Command:
    @click.command("rekey")
    @with_data()
    def rekey(data: Any) -> str:
        """Change the encryption key: to GECKOS3_NEW_ENCRYPTION_KEY, or to a new one in the key's file."""
        return str(data.rekey(os.environ.get("GECKOS3_NEW_ENCRYPTION_KEY", "")))

    return rekey
