"""The console's files, and S3 below /s3/ of the operator's listener."""

from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gecko_tw.admin.console import NOT_BUILT, POLICY, Console, read_file
from gecko_tw.admin.storefront import SANDBOX, Storefront
from gecko_tw.admin.tree import AdminResource
from tests.admin.desk import ROOT, SECRET, Desk, desk
from tests.callers.signatures.signing import clock_of_botocore
from tests.resources.asking import NOW, FakeRequest, InlinePool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<html>page</html>")
    (tmp_path / "assets/index-abc.js").write_text("script")
    (tmp_path / "assets/index-abc.js.gz").write_bytes(b"packed script")
    (tmp_path / "secret.txt").write_text("not for anybody")
    return tmp_path


@pytest.fixture
def office(folder: Path) -> Desk:
    made = desk()
    console = Console(InlinePool(), {"version": "1", "auth": True}, folder)
    made.resource = AdminResource(made.service, lambda: b"metrics\n", (Storefront(made.service),), console)
    return made


def headers(request: FakeRequest) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in request.headers}


def test_the_page_may_not_be_framed_and_runs_nothing_but_its_own_scripts(office: Desk) -> None:
    reply = office.ask("GET", "/", who=None)
    assert (reply.status, reply.body) == (200, b"<html>page</html>")
    assert headers(reply)[b"content-security-policy"] == POLICY
    assert b"unsafe" not in POLICY and b"frame-ancestors 'none'" in POLICY
    assert headers(reply)[b"x-content-type-options"] == b"nosniff"
    assert headers(reply)[b"content-type"] == b"text/html; charset=utf-8"


def test_the_page_is_asked_for_again_and_its_assets_are_kept(office: Desk) -> None:
    page = office.ask("GET", "/", who=None)
    tag = headers(page)[b"etag"].decode()
    assert headers(page)[b"cache-control"] == b"no-cache"
    assert office.ask("GET", "/", who=None, if_none_match=tag).status == 304
    script = office.ask("GET", "/assets/index-abc.js", who=None)
    assert b"immutable" in headers(script)[b"cache-control"]
    assert headers(script)[b"content-type"] == b"text/javascript; charset=utf-8"


def test_what_is_packed_goes_to_whoever_unpacks_it(office: Desk) -> None:
    plain = office.ask("GET", "/assets/index-abc.js", who=None)
    packed = office.ask("GET", "/assets/index-abc.js", who=None, accept_encoding="gzip, br")
    assert (plain.body, packed.body) == (b"script", b"packed script")
    assert headers(packed)[b"content-encoding"] == b"gzip"
    assert b"content-encoding" not in headers(plain)


@pytest.mark.parametrize(
    "name",
    [
        "secret.txt",
        "assets/../secret.txt",
        "../x.js",
        "assets/a/b.js",
        "assets/.hidden.js",
        "assets/",
        "index.html/",
        "other.html",
    ],
)
def test_nothing_but_the_page_and_its_assets_is_ever_read(folder: Path, name: str) -> None:
    assert read_file(folder, name, packs=True) is None


def test_unknown_paths_and_methods_are_refused_in_json(office: Desk) -> None:
    assert office.ask("GET", "/nothing", who=None).status == 404
    assert office.ask("GET", "/assets/none.js", who=None).status == 404
    assert office.ask("PUT", "/", who=None).status == 405


def test_a_page_says_how_to_build_what_is_not_built(office: Desk, folder: Path) -> None:
    (folder / "index.html").unlink()
    reply = office.ask("GET", "/", who=None)
    assert (reply.status, reply.body) == (404, NOT_BUILT)
    assert office.ask("GET", "/metrics", who=None).status == 200


def test_the_page_is_told_nothing_secret_before_anybody_signs_in(office: Desk) -> None:
    assert office.values("GET", "/console.json", who=None) == {"version": "1", "auth": True}


def test_s3_is_below_the_page_and_whatever_it_gives_is_confined(office: Desk) -> None:
    for who, status in ((None, 403), (ROOT, 200)):
        reply = office.ask("GET", "/s3/photos/cat", who=who)
        assert reply.status == status
        for pair in SANDBOX:
            assert pair in reply.headers
    assert reply.body == b"meow"


def test_signatures_are_of_the_path_without_the_prefix(office: Desk) -> None:
    url = "http://admin.test:9001/photos/cat"
    signed = AWSRequest("GET", url)
    with clock_of_botocore(NOW):
        S3SigV4Auth(Credentials(ROOT, SECRET), "s3", "us-east-1").add_auth(signed)
    raw = {name.lower().replace("-", "_"): value for name, value in signed.headers.items()}
    assert office.ask("GET", "/s3/photos/cat", who=None, **raw).status == 200
    assert office.ask("GET", "/s3/photos/other", who=None, **raw).status == 403
