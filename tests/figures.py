"""The figures by which the house is measured: ``python -m tests.figures`` counts and prints them as rows of a table.

What they are to be is enforced elsewhere: tests/test_layers.py, tests/test_budget.py and ``make lint``.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.sources import PACKAGE, ROOT, graph, imports, sources

STRICT = "[mypy]\nplugins = mypy_zope:plugin\npython_version = 3.11\nstrict = true\n"
"""mypy's configuration without what is relaxed in pyproject.toml, but for a library that has no types at all."""

NO_TYPES = "[mypy-awscrt.*]\nignore_missing_imports = true\n"


def loose_modules() -> int:
    """Modules at the top of the package, its ``__init__`` among them."""
    return len(list((ROOT / PACKAGE).glob("*.py")))


def flat_files() -> int:
    """Modules of resources/ that are in none of its rooms."""
    return len([path for path in (ROOT / PACKAGE / "resources").glob("*.py") if path.stem != "__init__"])


def family_imports() -> int:
    """How often a family of operations imports another."""
    families = f"{PACKAGE}.resources.families"
    return len([one for one in imports() if one.source.within(families) and one.target.startswith(families)])


def circles(below: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Names that reach each other, in groups as large as can be.

    :param below: by name: what it points to.
    """
    reached = {name: _reached(below, name) for name in below}
    found: list[set[str]] = []
    for name in below:
        circle = {other for other in reached[name] if name in reached.get(other, ())}
        if circle and circle not in found:
            found.append(circle)
    return found


def _reached(below: Mapping[str, Iterable[str]], name: str) -> set[str]:
    found: set[str] = set()
    waiting = list(below.get(name, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(below.get(one, ()))
    return found


def lines_with(pattern: str) -> int:
    """Lines of the package that a regular expression is found in."""
    return sum(re.search(pattern, line) is not None for source in sources() for line in source.text.splitlines())


def strict_errors(*rooms: str) -> int:
    """Errors of ``mypy --strict`` in the whole package or in some rooms of it, nothing relaxed."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "mypy.ini")
        config.write_text(STRICT + NO_TYPES)
        command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", ".mypy_cache/strict"]
        told = subprocess.run([*command, "--config-file", config, PACKAGE], cwd=ROOT, capture_output=True, text=True)
    if told.stderr:
        raise RuntimeError(told.stderr)
    beginnings = tuple(f"{PACKAGE}/{room}" for room in rooms or ("",))
    return sum(": error: " in line and line.startswith(beginnings) for line in told.stdout.splitlines())


FIGURES: tuple[tuple[str, Callable[[], int]], ...] = (
    ("loose modules at the top", loose_modules),
    ("flat files in resources/", flat_files),
    ("families importing families", family_imports),
    ("import circles, those for type checkers included", lambda: len(circles(graph()))),
    ("modules in them", lambda: sum(map(len, circles(graph())))),
    ("lines of `type: ignore`", lambda: lines_with("type: ignore")),
    ("lines with `Any`", lambda: lines_with(r"\bAny\b")),
    ("errors of `mypy --strict`, nothing relaxed", strict_errors),
    (
        "of them in store, callers, resources, wire, pools, settings",
        lambda: strict_errors("store/", "callers/", "resources/", "wire/", "pools.py", "settings/"),
    ),
)


def main() -> None:
    """Prints all figures."""
    print("| | now |\n| --- | ---: |")
    for name, count in FIGURES:
        print(f"| {name} | {count()} |", flush=True)


if __name__ == "__main__":
    main()
