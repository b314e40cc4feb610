"""The project's own sources, parsed: what the tests about its shape look at."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[1]
PACKAGE = "gecko_tw"


@frozen
class Source:
    """One module.

    :ivar name: dotted, e.g. ``gecko_tw.store.records``; a package's name for its ``__init__``.
    :ivar nodes: every node of its tree.
    """

    name: str
    path: Path
    text: str
    tree: ast.Module
    lines: tuple[str, ...]
    nodes: tuple[ast.AST, ...]

    def within(self, room: str) -> bool:
        """Whether it is this module, or lies in this package."""
        return self.name == room or self.name.startswith(room + ".")


@frozen
class Import:
    """One imported name.

    :ivar target: dotted, e.g. ``gecko_tw.store.records.Version``.
    :ivar inside: the function that the import is in, or None at module level.
    """

    source: Source
    target: str
    line: int
    inside: str | None

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line} imports {self.target}"


@cache
def sources() -> tuple[Source, ...]:
    """Every module of the package and every dropin."""
    paths = [*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "twisted").rglob("*.py")]
    return tuple(_source(path) for path in sorted(paths))


def _source(path: Path) -> Source:
    parts = path.relative_to(ROOT).with_suffix("").parts
    text = path.read_text()
    tree = ast.parse(text)
    name = ".".join(parts).removesuffix(".__init__")
    return Source(name, path, text, tree, tuple(text.splitlines()), tuple(ast.walk(tree)))


@cache
def imports() -> tuple[Import, ...]:
    """Every import of every module, those for type checkers included."""
    return tuple(found for source in sources() for found in _imports(source, source.tree, None))


def _imports(source: Source, node: ast.AST, inside: str | None) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(source, alias.name, child.lineno, inside) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            start = "." * child.level + (child.module or "")
            yield from (Import(source, f"{start}.{alias.name}", child.lineno, inside) for alias in child.names)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _imports(source, child, child.name)
        else:
            yield from _imports(source, child, inside)


def graph() -> dict[str, set[str]]:
    """The modules that each module imports, those for type checkers included."""
    names = {source.name for source in sources()}
    found: dict[str, set[str]] = {name: set() for name in names}
    for one in imports():
        target = one.target if one.target in names else one.target.rpartition(".")[0]
        if target in names and target != PACKAGE:
            found[one.source.name].add(target)
    return found


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones included."""
    return (node for node in source.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def code_lines(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function that are code: neither its decorators, nor blank, nor comment, nor docstring."""
    skipped: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    numbers = range(function.lineno, (function.end_lineno or function.lineno) + 1)
    return sum(
        number not in skipped and bool(line := source.lines[number - 1].strip()) and not line.startswith("#")
        for number in numbers
    )
