"""The web console's files on the operator's listener: a page, what it loads, and what it must know before anybody signs in.

What is built of ``console/`` lies in ``static/``. It is read when it is asked for: what is built while the daemon runs is served, too.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path

from attrs import frozen
from twisted.internet.defer import Deferred

from gecko_tw.pools import IPool
from gecko_tw.store.records import Json
from gecko_tw.wire.interfaces import Headers, IWireRequest

PAGE = "index.html"
STATIC = Path(__file__).with_name("static")

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; "
    b"connect-src 'self'; frame-src blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do (W3C, "Content Security Policy Level 3"): nothing of anybody else's, and no script within the page."""

SAFE: Headers = [
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"X-Frame-Options", b"DENY"),
]
_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".woff2": b"font/woff2",
}
_FOREVER = b"public, max-age=31536000, immutable"
"""Names in ``assets/`` have a digest of what is in them."""

NOT_BUILT = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>GeckoS3</title></head><body>
<h1>The console is not built</h1>
<p>S3, the admin API, metrics and health are served all the same. In a checkout, <code>make console</code> builds it:
then load this page again. Packages and images have it built in.</p>
</body></html>
"""


@frozen
class File:
    """One file as it is answered with.

    :ivar packed: whether ``data`` is compressed by gzip.
    """

    kind: bytes
    data: bytes
    packed: bool


def read_file(folder: Path, name: str, packs: bool) -> File | None:
    """The page or one of its assets; None when there is no such file. Blocks.

    :param name: ``index.html``, or ``assets/`` and a name without further folders: nothing else is ever looked for.
    :param packs: whether whoever asks understands gzip.
    """
    leaf = name.removeprefix("assets/")
    kind = _TYPES.get(Path(leaf).suffix)
    if kind is None or "/" in leaf or leaf.startswith(".") or (name == leaf) != (name == PAGE):
        return None
    place = folder / name
    for path, packed in ((place.with_name(f"{leaf}.gz"), True), (place, False)):
        if packed and not packs:
            continue
        try:
            return File(kind, path.read_bytes(), packed)
        except FileNotFoundError:
            continue
    return None


class Console:
    """What answers on the operator's listener for the paths that nothing else has.

    :param pool: where files are read.
    :param about: what the page is told before anybody signs in; nothing that is secret.
    :param folder: of the built files.
    """

    def __init__(self, pool: IPool, about: Mapping[str, Json], folder: Path = STATIC) -> None:
        self._pool, self._folder = pool, folder
        self._about = json.dumps(about).encode() + b"\n"

    def place(self, path: bytes) -> Callable[[IWireRequest], object] | None:
        """What answers GET and HEAD of a path; None when it is not the console's."""
        if path == b"/console.json":
            return self._tell
        if path in (b"/", b"/index.html"):
            return partial(self._serve, PAGE)
        return partial(self._serve, path[1:].decode("latin-1")) if path.startswith(b"/assets/") else None

    def _tell(self, request: IWireRequest) -> None:
        headers = [*SAFE, (b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store")]
        request.answer(200, headers, self._about)

    def _serve(self, name: str, request: IWireRequest) -> Deferred[None]:
        """Fires when the file is answered with; fails with what reading it raises."""
        packs = b"gzip" in request.head.headers.get(b"accept-encoding", b"")
        found = self._pool.run(read_file, self._folder, name, packs)
        return found.addCallback(partial(_answer, request, name))


def _answer(request: IWireRequest, name: str, file: File | None) -> None:
    headers = [*SAFE, (b"Content-Security-Policy", POLICY), (b"Vary", b"Accept-Encoding")]
    if file is None:
        kind, body = (
            (_TYPES[".html"], NOT_BUILT) if name == PAGE else (b"text/plain", b"The console has no such file.\n")
        )
        request.answer(404, [*headers, (b"Content-Type", kind), (b"Cache-Control", b"no-store")], body)
        return
    tag = b'"' + sha256(file.data).hexdigest()[:32].encode() + b'"'
    headers += [(b"ETag", tag), (b"Cache-Control", b"no-cache" if name == PAGE else _FOREVER)]
    if request.head.headers.get(b"if-none-match") == tag:
        request.answer(304, headers)
        return
    headers.append((b"Content-Type", file.kind))
    if file.packed:
        headers.append((b"Content-Encoding", b"gzip"))
    request.answer(200, headers, file.data)
