"""Reading a configuration file: its settings at once, what it declares as entries for :mod:`gecko_tw.bootstrap.declarations`."""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, field, frozen
from twisted.logger import Logger

from gecko_tw.settings import SETTINGS, BadSetting, Setting, Settings
from gecko_tw.settings.entries import Entry, read_yaml, unknown
from gecko_tw.settings.gos3rve import is_xml, read_xml
from gecko_tw.settings.interpolation import escaped
from gecko_tw.settings.jay import SCRUB, scrub_texts
from gecko_tw.settings.sources import Flags, Given, file_of, places_of, read_settings
from gecko_tw.settings.target_sections import target_texts

SECTIONS = ("buckets", "accounts", "users", "groups", "keys", "policies", "kms-keys")
KEYS = {one.key: one for one in SETTINGS if one.name != "config"}
"""The settings that a file may name."""

_log = Logger(namespace="gecko_tw.settings")


@frozen
class Document:
    """A configuration file.

    :ivar settings: what it says about settings, by field name.
    :ivar sections: what it declares, by the name of the section.
    :ivar remarks: what its writer should know.
    """

    file: str
    settings: Mapping[str, Given]
    sections: Mapping[str, Entry] = field(factory=dict)
    remarks: tuple[str, ...] = ()


def read_document(path: Path, environment: Mapping[str, str] | None) -> Document:
    """Reads a file: YAML, or gos3rve's XML.

    :param environment: None leaves references to variables and double dollars in the texts of settings.
    :raises BadSetting: it cannot be read or has something that is not allowed in its settings; names file and line.
    """
    text = _text(path)
    if is_xml(text):
        settings, remarks = read_xml(str(path), text)
        if environment is None:  # dollars mean nothing there
            settings = {name: Given(one.source, tuple(map(escaped, one.texts))) for name, one in settings.items()}
        return Document(str(path), settings, {}, tuple(remarks))
    root = read_yaml(str(path), text, environment)
    found, sections = dict[str, Given](), dict[str, Entry]()
    for key, entry in root.named().items():
        if key in SECTIONS:
            sections[key] = entry
        elif key in KEYS:
            if KEYS[key].name in found:
                raise entry.refusal(f"is there as {found[KEYS[key].name].source.rpartition(' ')[2]} as well")
            found[KEYS[key].name] = _setting(KEYS[key], entry, environment is not None)
        elif key == SCRUB:
            found |= _scrub(entry, found, environment is not None)
        else:
            raise unknown(entry, key, [*KEYS, *SECTIONS, SCRUB])
    return Document(str(path), found, sections)


def _scrub(section: Entry, found: Mapping[str, Given], interpolated: bool) -> dict[str, Given]:
    """The settings of Jay's section, none of which may be there under our name as well. Raises BadSetting."""
    by_name, given = {one.name: one for one in SETTINGS}, {}
    for name, (entry, text) in scrub_texts(section).items():
        if name in found:
            raise entry.refusal(f"is there as {by_name[name].key} as well")
        given[name] = Given(f"{entry.place}: {entry.path}", (text,))
        if interpolated:
            given[name].value(evolve(by_name[name], secret=entry.confidential))
    return given


def configured(flags: Flags, environment: Mapping[str, str]) -> Settings:
    """The settings in force, those of the configuration file among them; warns where something overrules the file.

    :raises BadSetting: as :func:`gecko_tw.settings.sources.read_settings` and :func:`read_document` do.
    """
    path = file_of(flags, environment)
    if path is None:
        return read_settings(flags, environment)
    document = read_document(path, environment)
    settings = read_settings(flags, environment, document.settings)
    for line in (*document.remarks, *overruled(flags, environment, document.settings)):
        _log.warn("{line}", line=line)
    return settings


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise BadSetting(f"--config: {str(path)!r}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise BadSetting(f"--config: {str(path)!r}: is not UTF-8") from None


def _setting(one: Setting, entry: Entry, interpolated: bool) -> Given:
    """A setting's texts, each of which is allowed, where no variable is left out. Raises BadSetting."""
    if one.name == "s3_target" and isinstance(entry.value, dict):
        if entry.confidential and not interpolated:
            raise entry.refusal("a mapping with variables cannot be told as one text: write it as NAME=URL")
        texts = target_texts(entry)
    else:
        texts = entry.texts() if one.several else (entry.text(),)
    if not texts:
        raise entry.refusal("must have a value")
    given = Given(f"{entry.place}: {one.key}", texts)
    if interpolated or not entry.confidential:
        given.value(evolve(one, secret=one.secret or entry.confidential))
    return given


def overruled(flags: Flags, environment: Mapping[str, str], file: Mapping[str, Given]) -> list[str]:
    """A line for each setting of the file that a flag or the environment sets to something else; values are not told.

    :raises BadSetting: for a value that is not allowed, in any place.
    """
    lines = []
    for one in SETTINGS:
        places = list(places_of(one, flags, environment, file))
        for given in places[1:]:
            if given is file.get(one.name) and given.value(one) != places[0].value(one):
                lines.append(f"{places[0].source} overrules {given.source}")
    return lines
