"""The OpenAPI 3.1 document of the admin API, made from its rows, and the table of the documentation.

Source: OpenAPI Specification 3.1.0.
"""

from typing import Any

from gecko_tw import __version__
from gecko_tw.admin.rows import PREFIX, Row, Rows
from gecko_tw.admin.schemas import answer, text
from gecko_tw.resources.dispatch.operations import GET

ERROR = answer(code=text(), message={"type": "string"}, requestId=text())
"""The body of every refusal."""

Document = dict[str, Any]  # of JSON


def document_of(rows: Rows) -> Document:
    """The document."""
    paths: Document = {}
    for row in rows.rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "GeckoS3 admin API",
            "version": __version__,
            "description": "Requests are signed with AWS Signature Version 4 for the service s3, or carry an access key and its secret.",
        },
        "servers": [{"url": PREFIX}],
        "security": [{"bearer": []}, {"signature": []}],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "`Bearer ACCESS-KEY:SECRET`"},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "AWS Signature Version 4, service s3.",
                },
            },
        },
    }


def _operation(row: Row) -> Document:
    found: Document = {
        "operationId": row.name,
        "summary": row.about,
        "description": f"Needs the permission `{row.needs}`." if row.needs else "Whoever proves to be somebody may.",
        "parameters": [*_places(row), *_parameters(row), *_conditions(row)],
        "responses": {
            str(row.status): _success(row),
            "default": {
                "description": "Refused: the code and the message say why.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if row.body is not None:
        content = {"application/json": {"schema": row.body}}
        found["requestBody"] = {"required": "required" in row.body, "content": content}
    return found


def _places(row: Row) -> list[Document]:
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name, schema in row.places.items()]


def _parameters(row: Row) -> list[Document]:
    required = row.query.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in row.query["properties"].items()
    ]


def _conditions(row: Row) -> list[Document]:
    """The header by which a change is made only of what its author has seen."""
    if not row.document or row.method == GET:
        return []
    about = "The ETag that the document must still have; else it is refused with 412."
    return [{"name": "If-Match", "in": "header", "required": False, "description": about, "schema": {"type": "string"}}]


def _success(row: Row) -> Document:
    if row.stream is not None:
        return {"description": row.about, "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    if row.answer is None:
        return {"description": "It is done."}
    found: Document = {"description": row.about, "content": {"application/json": {"schema": row.answer}}}
    if row.document and row.method == GET:
        found["headers"] = {"ETag": {"description": "Of the document.", "schema": {"type": "string"}}}
    return found
