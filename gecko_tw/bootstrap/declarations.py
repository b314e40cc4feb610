"""What a configuration file declares, read and checked as a whole before anything of it is applied."""

from collections.abc import Callable
from typing import Any

from attrs import fields, frozen

from gecko_tw.bootstrap.accounts import Declared, read_accounts, read_groups, read_keys, read_policies, read_users
from gecko_tw.bootstrap.buckets import DeclaredBucket, read_buckets
from gecko_tw.callers.accounts.identities import AccessKey, Account, Group, User
from gecko_tw.settings.reading import Document


@frozen(kw_only=True)
class Declarations:
    """Everything that is to be there.

    :ivar kms_keys: names of keys of SSE-KMS.
    """

    buckets: tuple[DeclaredBucket, ...] = ()
    accounts: tuple[Declared[Account], ...] = ()
    groups: tuple[Declared[Group], ...] = ()
    users: tuple[Declared[User], ...] = ()
    keys: tuple[Declared[AccessKey], ...] = ()
    kms_keys: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many of what."""
        return {attribute.name: len(getattr(self, attribute.name)) for attribute in fields(type(self))}


def read_declarations(document: Document) -> Declarations:
    """The declarations of a file.

    :raises BadSetting: the first thing that is wrong, with file and line.
    """

    def section(name: str, read: Callable[..., Any], *more: Any) -> Any:
        entry = document.sections.get(name)
        return () if entry is None else tuple(read(entry, *more))

    policies = dict(section("policies", lambda entry: read_policies(entry).items()))
    return Declarations(
        buckets=section("buckets", read_buckets),
        accounts=section("accounts", read_accounts),
        groups=section("groups", read_groups, policies),
        users=section("users", read_users, policies),
        keys=section("keys", read_keys),
        kms_keys=section("kms-keys", lambda entry: entry.texts()),
    )
