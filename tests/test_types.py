"""What types promise: mypy checks them (``make lint``), and nothing public says Any without saying why."""

import ast
import re
from collections.abc import Iterator

from tests.sources import PACKAGE, Source, sources

UNCHECKED = ("daemon", "commands", "plugins", "tap")
"""Rooms that the type checker does not read yet."""

_ANY = re.compile(r"\bAny\b")


def _signatures(source: Source) -> Iterator[tuple[int, int, str]]:
    """First and last line of what is public and says Any, with the docstring around it."""
    yield from _of(source.tree, ast.get_docstring(source.tree) or "")


def _of(node: ast.Module | ast.ClassDef, text: str) -> Iterator[tuple[int, int, str]]:
    for child in node.body:
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _of(child, text + (ast.get_docstring(child) or ""))
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            public = not child.name.startswith("_") or child.name == "__init__"
            if public and _ANY.search(f"{ast.unparse(child.args)} {child.returns and ast.unparse(child.returns)}"):
                yield child.lineno - 1, child.body[0].lineno - 1, text
        elif isinstance(child, ast.AnnAssign) and isinstance(node, ast.ClassDef):
            public = not ast.unparse(child.target).startswith("_")
            if public and _ANY.search(ast.unparse(child.annotation)):
                yield child.lineno - 1, child.lineno, text


def test_no_public_signature_says_any_without_a_reason_beside_it():
    without = []
    for source in sources():
        if source.name.split(".")[0] != PACKAGE or source.name.split(".")[1:2] in [[room] for room in UNCHECKED]:
            continue
        lines = source.text.splitlines()
        for first, last, around in _signatures(source):
            if not any("#" in line for line in lines[first - 1 : last]) and not _ANY.search(around):
                without.append(f"{source.name}:{first + 1}")
    assert not without, "\n".join(without)
