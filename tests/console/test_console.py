"""The console in a real Chromium: what people do first, and what goes wrong."""

import json
import re
from functools import partial
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from botocore.config import Config
from playwright.sync_api import Route, expect

from tests.console.visitor import BUILT, SECRET, Visit, chromium
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.reverse_proxy import ReverseProxy


def ask(origin: str, method: str, path: str, body: object = None) -> object:
    """What the admin API answers to the settings' pair."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer geckoadmin:{SECRET}", "Content-Type": "application/json"}
    with urlopen(Request(f"{origin}/api/v1{path}", data, headers, method=method)) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def test_what_is_wrong_with_a_sign_in_is_said_beside_its_field(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    visitor.photograph("sign-in")
    submit = page.get_by_role("button", name="Sign in")
    submit.click()
    expect(page.get_by_label("Access key")).to_have_accessible_description("Enter the access key.")
    page.get_by_label("Access key").fill("geckoadmin")
    page.get_by_label("Secret key").fill("not the secret")
    submit.click()
    expect(page.get_by_label("Secret key")).to_have_accessible_description(
        "The secret key does not belong to this access key."
    )
    visitor.is_accessible("sign-in, refused")
    page.get_by_label("Access key").fill("nobody")
    submit.click()
    expect(page.get_by_label("Access key")).to_have_accessible_description(
        "There is no such access key, or it has expired."
    )
    page.get_by_label("Access key").fill("geckoadmin")
    page.get_by_label("Secret key").fill(SECRET)
    submit.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Secret key")).to_have_value("")


def test_a_bucket_is_made_and_a_file_goes_in_and_out_of_it(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    page = visitor.sign_in(hash_="#/buckets")
    page.get_by_role("button", name="Create bucket").click()
    name = page.get_by_role("dialog").get_by_label("Name")
    name.fill("Holiday_Photos")
    expect(name).to_have_accessible_description(
        "3 to 63 lower-case letters, digits, dots and hyphens. Only lower-case letters, digits, dots and hyphens are allowed."
    )
    name.fill("holiday-photos")
    page.get_by_label("Keep versions").check()
    visitor.photograph("create-bucket")
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("heading", name="holiday-photos").wait_for()

    file = tmp_path / "notes ü&#.json"
    file.write_text('{"greeting": "hello"}')
    page.locator("input[type=file]:not([webkitdirectory])").set_input_files(file)
    page.get_by_role("link", name=file.name).click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text('"greeting": "hello"')
    visitor.is_accessible("object")
    visitor.photograph("object")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_text() == file.read_text()
    assert download.value.suggested_filename == file.name

    page.get_by_role("tab", name="Tags").click()
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Name 1").fill("team")
    page.get_by_label("Value 1").fill("blue")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").last.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("This folder is empty").wait_for()

    # What was deleted is behind a marker, and comes back.
    page.get_by_label("Show versions").check()
    page.get_by_label(f"Select {file.name}").first.check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 deleted.")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    page.get_by_label("Show versions").uncheck()
    page.get_by_role("link", name=file.name).wait_for()


def test_an_upload_goes_on_after_the_page_was_reloaded(
    visit: Visit, daemon: Daemon, origin: str, tmp_path: Path
) -> None:
    ask(origin, "POST", "/buckets", {"name": "transfers"})
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(range(256)) * 4096 * 48)  # three parts of 16 MiB
    visitor = visit()
    page = visitor.sign_in(hash_="#/buckets/transfers", keep=False)

    def lose(route: Route) -> None:
        route.abort()

    page.route("**/*partNumber=3*", lose)
    page.locator("input[type=file]:not([webkitdirectory])").set_input_files(file)
    page.get_by_text("No connection: it goes on as soon as there is one.").wait_for()
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "67")
    visitor.photograph("upload")
    page.on("dialog", lambda dialog: dialog.accept())
    page.unroute("**/*partNumber=3*")
    sent = len(visitor.requests)
    page.reload()
    visitor.sign_in(hash_="#/buckets/transfers")
    page.get_by_role("button", name="Look").click()
    visitor.is_accessible("unfinished uploads")
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(file)
    page.get_by_role("link", name="large.bin").wait_for()
    parts = [one.url for one in visitor.requests[sent:] if "partNumber=" in one.url]
    assert len(parts) == 1 and "partNumber=3" in parts[0]
    assert daemon.client().get_object(Bucket="transfers", Key="large.bin")["Body"].read() == file.read_bytes()


def _refuse(status: int, told: str, route: Route) -> None:
    route.fulfill(status=status, body=told)


def test_what_was_typed_outlives_a_lost_connection_and_an_ended_session(visit: Visit, origin: str) -> None:
    visitor = visit()
    page = visitor.sign_in(hash_="#/buckets")
    page.get_by_role("button", name="Create bucket").click()
    name = page.get_by_role("dialog").get_by_label("Name")
    name.fill("kept-name")
    create = page.get_by_role("button", name="Create", exact=True)

    page.route("**/api/v1/buckets", lambda route: route.abort())
    create.click()
    page.get_by_text("The server cannot be reached.").wait_for()
    page.unroute("**/api/v1/buckets")

    refusals = {
        503: ("SlowDown", "The server is busy right now."),
        403: ("AccessDenied", "You may not do this."),
        400: ("ExpiredToken", "You are no longer signed in."),
    }
    for status, (code, sentence) in refusals.items():
        told = json.dumps({"code": code, "message": "refused", "requestId": "R"})
        page.route("**/api/v1/buckets", partial(_refuse, status, told))
        create.click()
        page.get_by_text(sentence).wait_for()
        expect(name).to_have_value("kept-name")
        page.unroute("**/api/v1/buckets")
    visitor.is_accessible("an ended session")
    again = page.get_by_role("dialog", name="Sign in again")
    again.get_by_label("Secret key").fill(SECRET)
    again.get_by_role("button", name="Sign in").click()
    create.click()
    page.get_by_role("heading", name="kept-name").wait_for()


def test_settings_say_what_is_wrong_with_them_and_are_kept(visit: Visit, origin: str) -> None:
    ask(origin, "POST", "/buckets", {"name": "settled", "versioning": "Enabled"})
    visitor = visit()
    page = visitor.sign_in(hash_="#/buckets/settled?tab=overview")
    page.get_by_label("Most bytes").fill("much")
    expect(page.get_by_label("Most bytes")).to_have_accessible_description(
        "Such as 500MB, 10GiB, or nothing for no limit. Enter a size such as 500MB or 10GiB."
    )
    page.get_by_label("Most bytes").fill("2GiB")
    page.get_by_role("region", name="Quota").get_by_role("button", name="Save").click()
    page.get_by_text("of 2.00 GiB").wait_for()

    tabs = page.get_by_role("navigation", name="settled")
    tabs.get_by_role("link", name="Access", exact=True).click()
    policy = page.get_by_label("Bucket policy (JSON)")
    policy.fill('{"Version": "2012-10-17", "Statement": [{"Effect": "allow"}]}')
    expect(policy).to_have_accessible_description('Statement 1: Effect must be "Allow" or "Deny".')
    page.get_by_label("Insert an example").select_option(label="Everybody may read")
    page.get_by_role("region", name="Bucket policy").get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").last.wait_for()
    visitor.photograph("policy")

    tabs.get_by_role("link", name="Lifecycle", exact=True).click()
    page.get_by_role("button", name="Add a rule").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("old-logs")
    form.get_by_label("Delete objects after days").fill("0")
    expect(form.get_by_label("Delete objects after days")).to_have_accessible_description(
        "Enter a whole number of days, 1 or more."
    )
    form.get_by_label("Delete objects after days").fill("30")
    visitor.is_accessible("lifecycle rule")
    form.get_by_role("button", name="Save").click()
    page.get_by_text("objects after 30 days").wait_for()
    kept = ask(origin, "GET", "/buckets/settled")
    assert isinstance(kept, dict)
    assert kept["settings"]["quota"] == {"bytes": 2 * 1024**3}
    assert {"policy", "lifecycle"} <= kept["settings"].keys()


def test_somebody_without_admin_permissions_sees_what_is_theirs(visit: Visit, origin: str) -> None:
    ask(origin, "POST", "/buckets", {"name": "theirs"})
    ask(origin, "POST", "/users", {"name": "ann"})
    statement = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::theirs", "arn:aws:s3:::theirs/*"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    ask(origin, "PUT", "/users/000000000000/ann/policies/own", policy)
    secret = "the-secret-of-ann"
    ask(origin, "POST", "/keys", {"user": "ann", "access_key": "ANNSKEY", "secret": secret})
    visitor = visit()
    page = visitor.sign_in("ANNSKEY", secret, "#/buckets")
    page.get_by_text("Limited access").wait_for()
    expect(page.get_by_role("link", name="Dashboard")).to_have_count(0)
    page.get_by_label("Open a bucket by name").fill("theirs")
    page.get_by_role("button", name="Open", exact=True).click()
    page.get_by_text("This folder is empty").wait_for()
    visitor.is_accessible("limited")


def test_a_stored_page_runs_nothing_at_the_console_s_origin(visit: Visit, daemon: Daemon, origin: str) -> None:
    ask(origin, "POST", "/buckets", {"name": "evil"})
    script = "document.body.textContent = 'it ran'"
    daemon.client().put_object(
        Bucket="evil", Key="page.html", Body=f"<body>it is shown<script>{script}</script>", ContentType="text/html"
    )
    client = daemon.client(
        endpoint_url=origin, config=Config(signature_version="s3v4", s3={"addressing_style": "path"})
    )
    link = client.generate_presigned_url("get_object", Params={"Bucket": "evil", "Key": "page.html"})
    visitor = visit()
    page = visitor.open()
    page.goto(link.replace(origin, f"{origin}/s3"))
    expect(page.locator("body")).to_have_text("it is shown", use_inner_text=True)
    visitor.open()


def test_the_first_load_is_at_most_300_kib() -> None:
    chromium()
    page = BUILT.read_text()
    names = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page)
    sizes = {name: BUILT.parent.joinpath(f"{name}.gz").stat().st_size for name in names}
    assert len(sizes) >= 3
    assert sum(sizes.values()) <= 300 * 1024, sizes
    assert page.count("integrity=") == len([name for name in names if name.endswith((".js", ".css"))])


PLACES = {
    "#/dashboard": "Dashboard",
    "#/buckets": "Buckets",
    "#/buckets/photos": "photos",
    **{f"#/buckets/photos?tab={tab}": "photos" for tab in ("overview", "access", "lifecycle", "protection", "web")},
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_accessible(visit: Visit, daemon: Daemon, origin: str, dark: bool) -> None:
    name = "photos"
    if name not in {one["bucket"] for one in ask(origin, "GET", "/buckets")["buckets"]}:  # type: ignore[index]
        ask(origin, "POST", "/buckets", {"name": name, "object_lock": True, "quota": {"bytes": "1GiB"}})
        for key in ("2025/beach.jpg", "2026/lake.jpg", "cat.jpg", "notes.md", "report.pdf"):
            daemon.client().put_object(Bucket=name, Key=key, Body=b"text" * len(key) ** 3)
    visitor = visit(dark=dark)
    page = visitor.sign_in(hash_="#/buckets")
    for place, heading in PLACES.items():
        visitor.goes(place, heading)
        page.wait_for_load_state("networkidle")
        visitor.is_accessible(place, *(["color-contrast"] if dark else []))
        visitor.photograph(f"{place[2:].replace('/', '-').replace('?tab=', '-')}{'-dark' if dark else ''}")


def test_it_works_below_a_path_of_a_proxy(visit: Visit, origin: str) -> None:
    ask(origin, "POST", "/buckets", {"name": "below"})

    def strip(target: bytes, headers: dict[bytes, bytes]) -> tuple[bytes, dict[bytes, bytes]]:
        assert target.startswith(b"/console/"), target
        return target.removeprefix(b"/console"), headers

    with ReverseProxy(int(origin.rpartition(":")[2]), strip) as proxy:
        visitor = visit("/console/", at=proxy.url)
        page = visitor.sign_in(hash_="#/buckets")
        page.get_by_role("link", name="below", exact=True).click()
        page.locator("input[type=file]:not([webkitdirectory])").set_input_files(
            {"name": "a.txt", "mimeType": "text/plain", "buffer": b"below"}
        )
        page.get_by_role("link", name="a.txt").click()
        expect(page.get_by_role("region", name="Preview")).to_contain_text("below")
        visitor.leave()
