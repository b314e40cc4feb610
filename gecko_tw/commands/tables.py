"""The tables that people read: operations and settings, made from what the program runs on."""

from collections.abc import Iterable, Sequence

from gecko_tw.admin.minio.rows import MinioRow
from gecko_tw.admin.rows import Row
from gecko_tw.commands.telling import Told
from gecko_tw.resources.dispatch.operations import ACTION, STREAM, Document, Operation, OperationTable
from gecko_tw.settings import SETTINGS

_PLACES = {"service": "/", "bucket": "/{bucket}", "object": "/{bucket}/{key}", "website": "/{key}", "action": "/"}
_HEADERS = ("x-amz-", "content-")


def operations_text(table: OperationTable) -> str:
    """One aligned line for each operation."""
    cells = [(name, f"{method} {asked}", needs) for name, method, asked, needs, _ in _operations(table)]
    return "".join(f"{line}\n" for line in _aligned(cells))


def operations_told(table: OperationTable) -> Told:
    """The same as a command answers it."""
    names = ("operation", "method", "request", "permission", "body")
    return Told(operations_text(table).rstrip(), [dict(zip(names, one, strict=True)) for one in _operations(table)])


def operations_markdown(table: OperationTable) -> str:
    """A Markdown table of operations."""
    cells = [
        (name, f"`{method} {asked}`", f"`{needs}`", body) for name, method, asked, needs, body in _operations(table)
    ]
    return _markdown(("Operation", "Request", "Permission", "Body"), cells)


def admin_markdown(rows: Iterable[Row]) -> str:
    """A Markdown table of the rows of the admin API."""
    cells = [
        (
            f"`{row.method} {row.path}`",
            f"{row.about} {_taken(row)}".strip(),
            f"`{row.needs}`" if row.needs else "anybody with a key",
        )
        for row in rows
    ]
    return _markdown(("Request", "What it does", "Permission"), cells)


def minio_markdown(rows: Iterable[MinioRow]) -> str:
    """A Markdown table of the rows of MinIO's face."""
    cells = [
        (
            f"`{row.method} {row.path[1:]}`",
            row.about,
            f"`{row.needs}`" if row.needs else "anybody, about what is one's own",
        )
        for row in rows
    ]
    return _markdown(("Request below `/minio/`", "What it does", "Permission"), cells)


def _taken(row: Row) -> str:
    """What a row takes beside its path."""
    query, body = row.query["properties"], (row.body or {}).get("properties", {})
    told = [f"?{name}" for name in query] + list(body)
    return f"Takes {', '.join(f'`{name}`' for name in told)}." if told else ""


def settings_markdown() -> str:
    """A Markdown table of settings."""
    cells = [
        (
            f"`{one.flag}`",
            ", ".join(f"`{name}`" for name in one.environment),
            f"`{one.default}`" if one.default else "",
            ", ".join(f"`{word}`" for word in one.kind.word.split("|")),
            one.help,
        )
        for one in SETTINGS
    ]
    return _markdown(("Flag", "Environment", "Default", "Values", "What it means"), cells)


def _operations(table: OperationTable) -> list[tuple[str, str, str, str, str]]:
    """Name, method, what is asked, needed permission and kind of body of each, by name."""
    return sorted(
        (row.name, row.method, _asked(row), row.needs or "", _body(row.body))
        for rows in table.rows.values()
        for row in rows
    )


def _asked(row: Operation) -> str:
    """The place with its query, and headers in parentheses: ``/{bucket}/{key}?uploadId (x-amz-copy-source)``."""
    queries = sorted(name for name in row.selectors if not name.startswith(_HEADERS))
    headers = sorted(row.selectors - set(queries))
    if row.target == ACTION:
        return " ".join(("/", *queries))
    query = "?" + "&".join(queries) if queries else ""
    return _PLACES[row.target] + query + "".join(f" ({name})" for name in headers)


def _body(body: str | Document | None) -> str:
    if isinstance(body, Document):
        return f"document, up to {body.limit // 1024} KiB"
    return "any, streamed" if body == STREAM else ""


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _markdown(head: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in cells)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_table(page: str, name: str, table: str) -> str:
    """A page with a table made anew, between the comments ``name`` and ``end of name``."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    return before + begin + table + rest[rest.index(end) :]
