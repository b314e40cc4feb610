"""Shapes of JSON in JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1): made, and held against what comes in."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gecko_tw.store.records import Json
from gecko_tw.store.refusals import InvalidArgument

Schema = Mapping[str, Json]

MOST = 2**53 - 1
"""The largest whole number that every reader of JSON reads exactly (RFC 8259, 6)."""

ANYTHING: Schema = {}
BOOLEAN: Schema = {"type": "boolean"}
NOTHING: Schema = {"type": "null"}
TIME: Schema = {"type": "string", "format": "date-time"}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 128}
POLICY: Schema = {"type": "object", "description": "A policy document in the language of AWS's IAM."}


def text(longest: int = 1024, *, least: int = 0, pattern: str = "") -> Schema:
    """A text of so many characters."""
    bounds = {"minLength": least, "maxLength": longest} if least else {"maxLength": longest}
    return {"type": "string", **bounds, **({"pattern": pattern} if pattern else {})}


def whole(least: int = 0, most: int = MOST) -> Schema:
    """A whole number."""
    return {"type": "integer", "minimum": least, "maximum": most}


def number(least: float = 0, most: float = MOST) -> Schema:
    """A number."""
    return {"type": "number", "minimum": least, "maximum": most}


def one_of(*words: str) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": list(words)}


def several(schema: Schema, most: int = 1000) -> Schema:
    """A list."""
    return {"type": "array", "items": schema, "maxItems": most}


def listed(schema: Schema) -> Schema:
    """A list that is answered, of any length."""
    return {"type": "array", "items": schema}


def named(schema: Schema) -> Schema:
    """An object whose members have any names."""
    return {"type": "object", "additionalProperties": schema}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}


def members(required: Iterable[str] = (), **properties: Schema) -> Schema:
    """An object with these members, and no others.

    :param required: names of those that must be there.
    """
    names = {name.rstrip("_"): schema for name, schema in properties.items()}
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": names, **needed, "additionalProperties": False}


def answer(**properties: Schema) -> Schema:
    """An object that is answered: all of these members, and no others."""
    return members([name.rstrip("_") for name in properties], **properties)


def check(schema: Schema, value: Json, place: str) -> None:
    """Refuses what does not have the shape.

    :param place: the name of what the value is, at the beginning of the message.
    :raises InvalidArgument: naming the field and what is allowed there, and never what was given: it may be a secret.
    """
    # A tenth of a second, which only those pay who ask the API.
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema).iter_errors(value)
    found = sorted(errors, key=lambda error: list(map(str, error.path)))
    if found:
        field = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in found[0].path)
        raise InvalidArgument(f"{place}{field}: {_allowed(found[0])}", Field=f"{place}{field}")


# Any: the library's ValidationError.
def _allowed(error: Any) -> str:
    rule, bound, schema = error.validator, error.validator_value, error.schema
    if rule == "additionalProperties":
        return f"allowed are the members {', '.join(schema.get('properties', ())) or 'none at all'}"
    if rule == "required":
        return f"needed are the members {', '.join(bound)}"
    return "allowed is " + ", or ".join(_words(schema)) if rule in _SAID else f"{rule}: {bound}"


_SAID = frozenset("type enum minLength maxLength minimum maximum pattern maxItems".split())


def _words(schema: Schema) -> Iterator[str]:
    kinds = schema.get("type", ())
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind == "null":
            yield "null"
        elif "enum" in schema:
            yield "one of " + ", ".join(str(word) for word in schema["enum"] if word is not None)
        elif kind in ("integer", "number"):
            yield f"{'a whole number' if kind == 'integer' else 'a number'} from {schema.get('minimum')} to {schema.get('maximum')}"
        elif kind == "string":
            like = f" like {schema['pattern']}" if "pattern" in schema else ""
            yield f"a text of {schema.get('minLength', 0)} to {schema.get('maxLength', 'any number of')} characters{like}"
        elif kind == "array":
            yield f"a list of at most {schema.get('maxItems', 'any number of')} items"
        else:
            yield {"object": "an object", "boolean": "true or false"}[kind]


def read_query(schema: Schema, given: Mapping[str, str]) -> dict[str, Json]:
    """The parameters of a query as their schema has them: numbers and booleans, too.

    :raises InvalidArgument: one is not known, or not allowed.
    """
    properties = schema.get("properties", {})
    read: dict[str, Json] = {}
    for name, value in given.items():
        kind = properties.get(name, {}).get("type")
        if kind in ("integer", "number") and value.isascii() and len(value) <= 16 and value.lstrip("-").isdecimal():
            read[name] = int(value)
        elif kind == "boolean" and value in ("true", "false"):
            read[name] = value == "true"
        else:
            read[name] = value
    check(schema, read, "query")
    return read
