"""Buckets of another S3 as a mapping in a configuration file, read as the texts of ``--s3-target``."""

from gecko_tw.settings.entries import Entry
from gecko_tw.settings.targets import S3Target, target_of

_NEEDED = ("endpoint", "bucket", "access-key", "secret-key")


def target_texts(section: Entry) -> tuple[str, ...]:
    """The texts of the setting for a mapping of names to what each target is. Raises BadSetting."""
    return tuple(_target(name, one) for name, one in section.named().items())


def _target(name: str, entry: Entry) -> str:
    given = entry.keys(*_NEEDED, "region", "prefix")
    for needed in _NEEDED:
        if needed not in given:
            raise entry.refusal(f"must have {needed}")
    values = {key.replace("-", "_"): one.text() for key, one in given.items()}
    values["endpoint"] = values["endpoint"].rstrip("/")
    target = S3Target(name=name, **values)
    try:
        if target_of(str(target)) != target:
            raise ValueError
    except ValueError:
        raise entry.refusal("must have an http or https URL without a path as its endpoint, and a plain name") from None
    return str(target)
