"""The XML file that gos3rve is configured with, read as settings of ours."""

from lxml import etree

from gecko_tw.settings import SETTINGS, BadSetting
from gecko_tw.settings.sources import Given

ELEMENTS = {
    "BucketsPath": "data_dir",
    "Port": "listen",
    "AccessKeyId": "access_key",
    "SecretAccessKey": "secret_key",
    "Region": "region",
    "UploadsPath": "",
}
"""gos3rve's elements and our settings; uploads under way are always kept inside the data directory here."""


def is_xml(text: str) -> bool:
    """Whether a configuration file is no YAML but XML."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def read_xml(file: str, text: str) -> tuple[dict[str, Given], list[str]]:
    """The settings that gos3rve's file has, and remarks about it.

    Values are taken as they are: nothing is put in for ``${…}``. An empty element counts as absent.

    :param file: its name in messages.
    :raises BadSetting: not well-formed, another root than ``root``, an element that gos3rve does not know, or one that is there twice.
    """
    root = _root(file, text)
    found: dict[str, Given] = {}
    remarks = []
    seen: set[str] = set()
    for child in root:
        tag = str(child.tag)
        place = f"{file}:{child.sourceline}: {tag}"
        if tag not in ELEMENTS:
            raise BadSetting(f"{place}: unknown element; allowed are {', '.join(ELEMENTS)}")
        if tag in seen or len(child):
            raise BadSetting(f"{place}: must be there once, and hold a text only")
        seen.add(tag)
        name, value = ELEMENTS[tag], (child.text or "").strip()
        if not name:
            remarks.append(f"{place}: not used; uploads under way are kept in the data directory")
        elif value:
            found[name] = Given(place, (_listen(place, value) if name == "listen" else value,))
    for one in SETTINGS:
        if one.name in found:
            found[one.name].value(one)
    return found, remarks


def _root(file: str, text: str) -> "etree._Element":
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        root = etree.fromstring(text.lstrip("\ufeff \t\r\n").encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        # The library's words may quote the file.
        line = getattr(problem, "lineno", None) or 1
        raise BadSetting(f"{file}:{line}: is no well-formed XML") from None
    if root.getroottree().docinfo.doctype or root.tag != "root":
        raise BadSetting(f"{file}:{root.sourceline}: the root element of an XML file must be `root`, as gos3rve has it")
    return root


def _listen(place: str, port: str) -> str:
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise BadSetting(f"{place}: must be a port's number")
    return f":{port}"
