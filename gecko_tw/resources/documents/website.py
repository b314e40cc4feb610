"""Website configurations of buckets: read, checked and written, and which redirect of theirs a request meets. Pure.

Sources: S3 API Reference, WebsiteConfiguration and RoutingRule; S3 User Guide, "Configuring webpage redirects".
"""

from urllib.parse import quote

from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element, element, texts
from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest

MAX_RULES = 50

Website = dict[str, Json]
"""A configuration as it is stored: the JSON that AWS's tools show, e.g. ``{"IndexDocument": {"Suffix": "index.html"}}``."""

_PARTS = {
    "RedirectAllRequestsTo": ("HostName", "Protocol"),
    "IndexDocument": ("Suffix",),
    "ErrorDocument": ("Key",),
}
_CONDITION = ("KeyPrefixEquals", "HttpErrorCodeReturnedEquals")
_REDIRECT = ("Protocol", "HostName", "ReplaceKeyPrefixWith", "ReplaceKeyWith", "HttpRedirectCode")
_REDIRECT_CODES = frozenset(str(code) for code in range(301, 309) if code not in (304, 305, 306))


def read_website(body: bytes) -> Website:
    """The configuration of a WebsiteConfiguration document.

    :raises MalformedXML, InvalidArgument, InvalidRequest: as S3 does.
    """
    root = markup.read(body, "WebsiteConfiguration").only((*_PARTS, "RoutingRules"))
    found: Website = {}
    for name, inside in _PARTS.items():
        given = root.all(name)
        if len(given) > 1:
            raise MalformedXML
        if given:
            found[name] = _texts(given[0], inside)
    rules = [_read_rule(rule) for rules in root.all("RoutingRules") for rule in rules.only(("RoutingRule",))]
    if rules:
        found["RoutingRules"] = rules
    _check(found)
    return found


def _texts(node: Element, names: tuple[str, ...]) -> dict[str, str]:
    """The texts of an element's children. Raises MalformedXML when there are none, or others."""
    found = {name: value for name in names if (value := node.only(names).get(name)) is not None}
    if not found:
        raise MalformedXML
    return found


def _read_rule(node: Element) -> dict[str, Json]:
    node.only(("Condition", "Redirect"))
    rule: dict[str, Json] = {}
    for name, inside in (("Condition", _CONDITION), ("Redirect", _REDIRECT)):
        given = node.all(name)
        if len(given) > 1 or (name == "Redirect" and not given):
            raise MalformedXML
        if given:
            rule[name] = _texts(given[0], inside)
    return rule


def _check(site: Website) -> None:
    everything = site.get("RedirectAllRequestsTo")
    if everything is not None:
        if len(site) > 1:
            raise InvalidRequest("RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.")
        if not everything.get("HostName"):
            raise MalformedXML
        _check_protocol(everything)
        return
    suffix = site.get("IndexDocument", {}).get("Suffix", "")
    if not suffix or "/" in suffix:
        raise InvalidArgument(
            "The IndexDocument Suffix is not well formed", ArgumentName="IndexDocument", ArgumentValue=suffix
        )
    if site.get("ErrorDocument", {"Key": "-"}).get("Key") == "":
        raise InvalidArgument(
            "The ErrorDocument Key is not well formed", ArgumentName="ErrorDocument", ArgumentValue=""
        )
    rules = site.get("RoutingRules", ())
    if len(rules) > MAX_RULES:
        raise InvalidRequest(
            f"{len(rules)} routing rules provided, the number of routing rules in a website configuration is limited to {MAX_RULES}."
        )
    for rule in rules:
        _check_rule(rule)


def _check_rule(rule: dict[str, Json]) -> None:
    redirect, code = rule["Redirect"], rule.get("Condition", {}).get("HttpErrorCodeReturnedEquals", "404")
    _check_protocol(redirect)
    if "ReplaceKeyPrefixWith" in redirect and "ReplaceKeyWith" in redirect:
        raise InvalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
    if redirect.get("HttpRedirectCode", "301") not in _REDIRECT_CODES:
        raise InvalidRequest(
            f"The provided HTTP redirect code ({redirect['HttpRedirectCode']}) is not valid. Valid codes are 3XX except 300."
        )
    if not (code.isdecimal() and len(code) == 3 and code[0] in "45"):
        raise InvalidRequest(f"The provided HTTP error code ({code}) is not valid. Valid codes are 4XX or 5XX.")


def _check_protocol(redirect: dict[str, str]) -> None:
    if redirect.get("Protocol", "http") not in ("http", "https"):
        raise InvalidRequest(
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically."
        )


def write_website(site: Website) -> bytes:
    """The document of a stored configuration."""
    parts = [element(name, texts(site[name])) for name in _PARTS if name in site]
    rules = [
        element(
            "RoutingRule",
            "".join(element(name, texts(rule[name])) for name in ("Condition", "Redirect") if name in rule),
        )
        for rule in site.get("RoutingRules", ())
    ]
    if rules:
        parts.append(element("RoutingRules", "".join(rules)))
    return markup.document("WebsiteConfiguration", "".join(parts))


def find_rule(site: Website, key: str, status: int | None) -> dict[str, Json] | None:
    """The first routing rule that a request for a key meets, or None.

    :param status: that of the error that the key gives; None before the key is looked at.
    """
    rules: list[dict[str, Json]] = site.get("RoutingRules", [])
    for rule in rules:
        condition = rule.get("Condition", {})
        code = condition.get("HttpErrorCodeReturnedEquals")
        asked = None if status is None else str(status)
        if code == asked and key.startswith(condition.get("KeyPrefixEquals", "")):
            return rule
    return None


def redirected(rule: dict[str, Json], key: str, protocol: str, host: str) -> tuple[int, str]:
    """The status and the Location of a rule's redirect.

    :param protocol: of the request; ``host`` too, as its client named it.
    """
    redirect = rule["Redirect"]
    if "ReplaceKeyWith" in redirect:
        key = redirect["ReplaceKeyWith"]
    elif "ReplaceKeyPrefixWith" in redirect:
        key = redirect["ReplaceKeyPrefixWith"] + key.removeprefix(rule.get("Condition", {}).get("KeyPrefixEquals", ""))
    place = f"{redirect.get('Protocol', protocol)}://{redirect.get('HostName', host)}/{quoted(key)}"
    return int(redirect.get("HttpRedirectCode", "301")), place


def quoted(key: str) -> str:
    """A key in a Location: no header can be broken by it."""
    return quote(key, safe="/~!$&'()*+,;=:@?#", errors="surrogateescape")
