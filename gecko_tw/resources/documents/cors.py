"""Which pages of other origins may read a bucket: the rules of a CORS configuration, checked, and matched against requests. Pure.

Source: S3 User Guide, "Elements of a CORS configuration".
"""

from collections.abc import Iterable, Sequence

from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidRequest

MAX_RULES = 100
METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")

Rule = dict[str, Json]
"""One rule as it is stored: the JSON that AWS's tools show, e.g. ``{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}``."""

_LISTS = {
    "AllowedHeader": "AllowedHeaders",
    "AllowedMethod": "AllowedMethods",
    "AllowedOrigin": "AllowedOrigins",
    "ExposeHeader": "ExposeHeaders",
}


def read_rules(body: bytes) -> list[Rule]:
    """The rules of a CORSConfiguration document.

    :raises MalformedXML, InvalidRequest: as S3 does.
    """
    rules = [_read_rule(element) for element in markup.read(body, "CORSConfiguration").only(("CORSRule",))]
    if not rules:
        raise MalformedXML
    if len(rules) > MAX_RULES:
        raise InvalidRequest(f"The number of CORS rules should not exceed allowed limit of {MAX_RULES} rules.")
    return rules


def _read_rule(element: Element) -> Rule:
    element.only((*_LISTS, "ID", "MaxAgeSeconds"))
    rule: Rule = {}
    identifier = element.get("ID")
    if identifier:
        if len(identifier) > 255:
            raise InvalidRequest("The ID of a CORS rule cannot be longer than 255 characters.")
        rule["ID"] = identifier
    for name, listed in _LISTS.items():
        values = [child.text.strip() for child in element.all(name)]
        if values:
            rule[listed] = values
    seconds = element.get("MaxAgeSeconds")
    if seconds is not None:
        if not (seconds.strip().isdecimal() and len(seconds.strip()) <= 9):
            raise MalformedXML
        rule["MaxAgeSeconds"] = int(seconds)
    _check(rule)
    return rule


def _check(rule: Rule) -> None:
    if not rule.get("AllowedMethods") or not rule.get("AllowedOrigins"):
        raise MalformedXML
    for method in rule["AllowedMethods"]:
        if method not in METHODS:
            raise InvalidRequest(f"Found unsupported HTTP method in CORS config. Unsupported method is {method}")
    for name, listed in (("AllowedOrigin", "AllowedOrigins"), ("AllowedHeader", "AllowedHeaders")):
        for value in rule.get(listed, ()):
            if value.count("*") > 1:
                raise InvalidRequest(f'{name} "{value}" can not have more than one wildcard.')
    for value in rule.get("ExposeHeaders", ()):
        if "*" in value:
            raise InvalidRequest(
                f'ExposeHeader "{value}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
            )
    for listed in _LISTS.values():
        # An origin that is nothing is taken, as S3 does; nobody has it.
        values = [value for value in rule.get(listed, ()) if value or listed != "AllowedOrigins"]
        if not all(value and value.isprintable() for value in values):
            raise MalformedXML


def write_rules(rules: Iterable[Rule]) -> bytes:
    """The CORSConfiguration document of stored rules."""
    content = "".join(markup.element("CORSRule", _write_rule(rule)) for rule in rules)
    return markup.document("CORSConfiguration", content)


def _write_rule(rule: Rule) -> str:
    parts = [markup.texts({"ID": rule.get("ID")})]
    for name, listed in _LISTS.items():
        parts += [markup.text(name, value) for value in rule.get(listed, ())]
    parts.append(markup.texts({"MaxAgeSeconds": rule.get("MaxAgeSeconds")}))
    return "".join(parts)


def fits(pattern: str, value: str) -> bool:
    """Whether a value matches a pattern that has at most one ``*``."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == value
    return len(value) >= len(before) + len(after) and value.startswith(before) and value.endswith(after)


def match(rules: Iterable[Rule], origin: str, method: str, requested: Sequence[str] = ()) -> Rule | None:
    """The first rule that allows this, or None.

    :param requested: the request headers that a preflight asks for.
    """
    for rule in rules:
        if method in rule["AllowedMethods"] and any(fits(pattern, origin) for pattern in rule["AllowedOrigins"]):
            allowed = [pattern.lower() for pattern in rule.get("AllowedHeaders", ())]
            if all(any(fits(pattern, name.lower()) for pattern in allowed) for name in requested):
                return rule
    return None


def allowing_headers(rule: Rule, origin: str) -> list[tuple[bytes, bytes]]:
    """The response headers by which a browser learns what a rule allows to ``origin``."""
    anybody = "*" in rule["AllowedOrigins"]
    found = [
        (b"Access-Control-Allow-Origin", b"*" if anybody else origin.encode("latin-1")),
        (b"Access-Control-Allow-Methods", ", ".join(rule["AllowedMethods"]).encode()),
    ]
    if not anybody:
        found.append((b"Access-Control-Allow-Credentials", b"true"))
    if rule.get("ExposeHeaders"):
        found.append((b"Access-Control-Expose-Headers", ", ".join(rule["ExposeHeaders"]).encode()))
    if rule.get("MaxAgeSeconds") is not None:
        found.append((b"Access-Control-Max-Age", b"%d" % rule["MaxAgeSeconds"]))
    return found
