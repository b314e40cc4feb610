"""Documentation that cannot rot: what it says exists, exists, and what exists is said."""

import re
import subprocess
from collections.abc import Iterator

import click
import pytest
from zope.interface.interface import InterfaceClass

import gecko_tw.dropins.interfaces
import gecko_tw.jobs.interfaces
import gecko_tw.pools
import gecko_tw.store.drivers.interfaces
import gecko_tw.store.encryption.interfaces
import gecko_tw.store.interfaces
import gecko_tw.wire.interfaces
from gecko_tw.admin.minio.table import MINIO_ROWS
from gecko_tw.admin.table import ROWS
from gecko_tw.commands import main
from gecko_tw.commands.tables import (
    admin_markdown,
    minio_markdown,
    operations_markdown,
    operations_text,
    settings_markdown,
    with_table,
)
from gecko_tw.daemon.deployment import operation_table
from gecko_tw.settings import SETTINGS
from tests.sources import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def test_the_readme_has_the_settings_as_they_are():
    assert with_table(README, "settings", settings_markdown()) == README, "run: make docs"


def test_the_page_of_operations_has_the_table_as_it_is():
    page = (ROOT / "docs/operations.md").read_text()
    assert with_table(page, "operations", operations_markdown(operation_table())) == page, "run: make docs"


def test_the_page_of_the_admin_api_has_its_rows_as_they_are():
    page = (ROOT / "docs/admin-api.md").read_text()
    assert with_table(page, "rows", admin_markdown(ROWS.rows)) == page, "run: make docs"


def test_the_page_of_minio_has_its_rows_as_they_are():
    page = (ROOT / "docs/minio.md").read_text()
    assert with_table(page, "minio", minio_markdown(MINIO_ROWS.rows)) == page, "run: make docs"


def test_the_table_for_people_has_a_line_for_each_row():
    rows = [row for rows in operation_table().rows.values() for row in rows]
    lines = operations_text(operation_table()).splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(row.name for row in rows)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_both_sides_of_a_merge(page):
    assert not re.findall(r"^(?:<{7}|>{7}) .*", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_every_decision_is_shorter_than_thirty_lines(page):
    assert len(page.read_text().splitlines()) < 30, "tables of figures belong into docs/performance.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_section_leads_to_one(page):
    for path, section in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text()):
        headings = re.findall(r"^#+ (.+)", (page.parent / path if path else page).read_text(), re.MULTILINE)
        assert section in {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings}


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """Every module's path, and what is left of it when folders before it are not said: `files/staging.py`, `staging.py`."""
    rooms = (ROOT / "docs/examples", *(ROOT / room for room in ("gecko_tw", "tests", "benchmarks")))
    parts = [path.relative_to(ROOT).parts for room in rooms for path in room.rglob("*.py")]
    return {"/".join(path[start:]) for path in parts for start in range(len(path))}


OF_OTHERS = {"test_s3.py", "test_headers.py", "test_iam.py", "test_sts.py"}
"""Modules of ceph/s3-tests, of which docs/conformance.md speaks."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_module_that_is_spoken_of_exists(page, modules):
    mentioned = set(re.findall(r"`([\w./-]+\.py)`", page.read_text()))
    assert mentioned - OF_OTHERS <= modules


def _options(command: click.Command) -> Iterator[str]:
    """The options of a command and of those below it."""
    for parameter in command.params:
        yield from parameter.opts
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _options(below)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_flag_that_is_spoken_of_exists(page):
    known = {one.flag for one in SETTINGS} | set(_options(main)) | {"--endpoint-url"}
    mentioned = set(re.findall(r"`(--[a-z][a-z0-9-]+)", page.read_text()))
    assert mentioned <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_spoken_of_exists(page):
    assert isinstance(main, click.Group)
    mentioned = set(re.findall(r"`geckos3 ([a-z]+)", page.read_text()))
    assert mentioned <= set(main.commands)


def test_the_page_of_plugins_shows_the_example_as_it_is():
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs/plugins.md").read_text(), re.DOTALL)
    example = [path.read_text() for path in (ROOT / "docs/examples/geckos3-weather").rglob("*.py")]
    assert len(shown) == len(example) == 2
    assert all(any(code in text for text in example) for code in shown)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_target_of_make_that_is_spoken_of_exists(page):
    targets = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
    text = page.read_text()
    mentioned = {name for line in re.findall(r"(?:`|\$ |# )make ([a-z0-9 -]+)", text) for name in line.split()}
    assert {name for name in mentioned if name} <= targets


def test_every_visible_command_is_in_the_readme():
    assert isinstance(main, click.Group)
    visible = {name for name, command in main.commands.items() if not command.hidden}
    assert visible <= set(re.findall(r"`geckos3 ([a-z]+)", README))


def test_every_target_of_make_is_explained_by_make_help():
    targets = set(re.findall(r"^([a-z0-9-]+):(?!=)", MAKEFILE, re.MULTILINE))
    explained = set(re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert targets == explained


def test_make_install_links_both_commands_and_no_other_twistd_is_replaced(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib/geckos3/bin").mkdir(parents=True)
    (tmp_path / "lib/geckos3/bin/python").write_text("#!/bin/sh\n")  # in place of pip
    (tmp_path / "lib/geckos3/bin/python").chmod(0o755)
    for name in ("geckos3", "twistd"):
        (tmp_path / "lib/geckos3/bin" / name).touch()

    def install() -> str:
        made = ["make", "install", f"PREFIX={tmp_path}", "PYTHON=true"]
        return subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=True).stderr

    for _ in range(2):
        assert "twistd" not in install()
        for name in ("geckos3", "twistd"):
            assert (tmp_path / "bin" / name).resolve() == tmp_path / "lib/geckos3/bin" / name
    (tmp_path / "bin" / "twistd").unlink()
    (tmp_path / "bin" / "twistd").write_text("of somebody else")
    assert "is there already and stays" in install()
    assert (tmp_path / "bin" / "twistd").read_text() == "of somebody else"


def test_every_room_is_on_the_map():
    rooms = {path.name for path in (ROOT / "gecko_tw").iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert not {room for room in rooms if f"gecko_tw/{room}/" not in README}


def test_every_interface_says_what_it_is():
    rooms = (
        gecko_tw.dropins,
        gecko_tw.jobs,
        gecko_tw.wire,
        gecko_tw.store,
        gecko_tw.store.drivers,
        gecko_tw.store.encryption,
    )
    found = [value for room in (gecko_tw.pools, *(one.interfaces for one in rooms)) for value in vars(room).values()]
    ours = [one for one in found if isinstance(one, InterfaceClass) and one.__module__.startswith("gecko_tw.")]
    assert ours
    assert not [
        f"{one.__name__}.{name}" for one in ours for name, part in one.namesAndDescriptions() if not part.__doc__
    ]


def test_the_words_of_the_glossary_are_in_order():
    words = re.findall(r"^\| ([a-z]+) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)[1:]
    assert words == sorted(words)
