"""One daemon and one browser for all tests of a process."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.console.visitor import SECRET, Visit, Visitor, chromium
from tests.end_to_end.daemon import Daemon

_OPERATORS = re.compile(r"listening on http://(\S+) for operators")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        # Containers give a browser neither namespaces nor much shared memory.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Daemon]:
    options = ("--admin-listen=127.0.0.1:0", "--audit-log=off", "--webhook=hook=http://127.0.0.1:1/")
    folder = tmp_path_factory.mktemp("console")
    daemon = Daemon(folder, *options, env={"GECKOS3_SECRET_KEY": SECRET})
    daemon.secret_key = SECRET
    with daemon:
        yield daemon


@pytest.fixture(scope="session")
def origin(daemon: Daemon) -> str:
    found = _OPERATORS.search(daemon.log_path.read_text())
    assert found is not None
    return f"http://{found[1]}"


@pytest.fixture
def visit(browser: Browser, origin: str) -> Iterator[Visit]:
    """Makes visitors, whose rules are looked at when the test ends well."""
    made: list[Visitor] = []

    def visit(path: str = "/", at: str = "", **more: bool) -> Visitor:
        made.append(Visitor(browser, at or origin, path, **more))
        return made[-1]

    yield visit
    for visitor in made:
        visitor.leave()
