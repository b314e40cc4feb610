"""Somebody who uses the console: a page of a real Chromium, which keeps to the rules whatever is done with it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, Page, Request

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
AXE = ROOT / "console/node_modules/axe-core/axe.min.js"
BUILT = ROOT / "gecko_tw/admin/static/index.html"
SECRET = "geckoadmin-secret"


def chromium() -> str:
    """Debian's Chromium, or one that has another name. Skips a test, or fails it where nothing may be absent."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        absent("Chromium is not installed")
    if not BUILT.exists() or not AXE.exists():
        absent("the console is not built: make console")
    return found


def absent(why: str) -> NoReturn:
    if os.environ.get("WITH_CHROMIUM"):
        raise RuntimeError(why)
    pytest.skip(why)


class Visitor:
    """A page, and what it did.

    :param origin: of the console, e.g. ``"http://localhost:41233"``; every request must go there.
    """

    def __init__(self, browser: Browser, origin: str, path: str = "/", dark: bool = False) -> None:
        self.origin, self.path = origin, path
        viewport = {"width": 1280, "height": 800}
        self.context = browser.new_context(viewport=viewport, color_scheme="dark" if dark else "light")  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(min(PATIENCE, 60) * 1000)
        self.requests: list[Request] = []
        self.mistakes: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("pageerror", lambda error: self.mistakes.append(str(error)))
        self.page.on("console", self._said)

    def _said(self, message: object) -> None:
        said = getattr(message, "text", "")
        if "Content Security Policy" in said or "Minified React error" in said:
            self.mistakes.append(said)

    def open(self, hash_: str = "") -> Page:
        self.page.goto(f"{self.origin}{self.path}{hash_}")
        return self.page

    def sign_in(self, key: str = "geckoadmin", secret: str = SECRET, hash_: str = "", keep: bool = False) -> Page:
        page = self.open(hash_)
        page.get_by_label("Access key").fill(key)
        page.get_by_label("Secret key").fill(secret)
        if keep:
            page.get_by_label("Stay signed in").check()
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign out").wait_for()
        return page

    def goes(self, hash_: str, heading: str) -> None:
        """To another page, until it is shown."""
        self.page.evaluate("hash => { location.hash = hash }", hash_)
        self.page.get_by_role("heading", name=heading, exact=True, level=1).wait_for()

    def is_accessible(self, where: str, *rules: str) -> None:
        """Refuses what axe-core finds: WCAG 2.2 A and AA, and what it takes for good practice; or what some of its rules find."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(
            "async only => (await axe.run(only.length ? {runOnly: only} : {})).violations", rules
        )
        told = [(one["id"], [node["target"] for node in one["nodes"]], one["help"]) for one in found]
        assert not told, f"{where}: {json.dumps(told, indent=1)}"

    def leave(self, secret: str = SECRET) -> None:
        """Closes the page, and refuses what no page may do. Does nothing for the second time."""
        if self.page.is_closed():
            return
        stored = self.page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        self.context.close()
        assert not self.mistakes
        assert secret not in stored, "the secret is kept"
        for request in self.requests:
            assert request.url.startswith((f"{self.origin}{self.path}", "blob:", "data:")), (
                f"asked elsewhere: {request.url}"
            )
            body = request.post_data_buffer or b""
            assert secret not in f"{request.url} {request.headers}" and secret.encode() not in body, (
                "the secret is sent"
            )

    def photograph(self, name: str) -> None:
        """A picture for the documentation, where CONSOLE_SCREENSHOTS names a folder."""
        folder = os.environ.get("CONSOLE_SCREENSHOTS")
        if folder:
            self.page.wait_for_timeout(300)
            self.page.screenshot(path=str(Path(folder, f"{name}.png")))


Visit = Callable[..., Visitor]
