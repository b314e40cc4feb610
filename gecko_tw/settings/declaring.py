"""How a setting is declared: its flag, its environment names, its default, what it allows and what it means."""

from typing import Any

from attrs import field, frozen

from gecko_tw.settings.kinds import Kind


class BadSetting(Exception):  # noqa: N818 - named for what it tells
    """A setting has a value that is not allowed. Its text is one line: the setting, the value, what is allowed."""


@frozen
class Setting:
    """How one field of :class:`Settings` is written.

    :ivar name: the field's name.
    :ivar environment: names of environment variables, the first that is set and not empty counts.
    :ivar default: as text, the way a person would write it.
    :ivar several: may be given more than once; in the environment separated by commas or white space.
    :ivar secret: its value is never shown.
    """

    name: str
    environment: tuple[str, ...]
    default: str
    kind: Kind
    help: str
    several: bool = False
    secret: bool = False

    @property
    def flag(self) -> str:
        """The flag, e.g. ``--data-dir``."""
        return "--" + self.key

    @property
    def key(self) -> str:
        """The key of a configuration file: the flag without its dashes."""
        return self.name.replace("_", "-")

    # Any, here and below: each kind has values of its own type, which the fields of Settings name.
    def read(self, source: str, text: str) -> Any:
        """The value of a text. Raises BadSetting, naming ``source``: the flag or the environment variable."""
        try:
            return self.kind.read(text)
        except ValueError:
            shown = "this value" if self.secret else repr(text)
            raise BadSetting(f"{source}: {shown} is not allowed; allowed is {self.kind.allowed}") from None


# Any: a field is given to it as its value.
def setting(default: str, kind: Kind, text: str, *environment: str, **more: Any) -> Any:
    """A field of Settings. ``environment`` replaces the variable made of the field's name; ``more`` as in :class:`Setting`."""
    value = kind.read(default)
    described = {"default": default, "kind": kind, "help": text, "environment": environment, **more}
    several, secret = more.get("several"), more.get("secret")
    return field(default=(value,) if several else value, repr=not secret, metadata=described)
