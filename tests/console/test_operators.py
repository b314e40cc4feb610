"""The console's pages for operators: the main flow of each, and what those see who may not open them."""

import json
import os
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tests.console.test_console import ask
from tests.console.visitor import Visit
from tests.end_to_end.daemon import Daemon, boto

PLACES = {
    **{
        f"#/access/{tab}": "Access" for tab in ("users", "groups", "keys", "policies", "roles", "simulator", "sessions")
    },
    "#/access/users/000000000000/looked-at": "Access",
    "#/access/groups/000000000000/lookers": "Access",
    "#/access/roles/looker": "Access",
    "#/requests": "Requests",
    "#/events": "Events",
    "#/limits": "Limits",
    "#/encryption-keys": "Encryption keys",
    "#/integrity": "Integrity",
    **{f"#/server/{tab}": "Server" for tab in ("overview", "settings", "jobs")},
}
DARK = ("#/access/users/000000000000/looked-at", "#/access/simulator", "#/requests", "#/limits", "#/server/overview")
"""What has something that no other page has: in the dark, these stand for all."""

TRUST = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}


def _iam(daemon: Daemon) -> Any:
    keys = {"aws_access_key_id": daemon.access_key, "aws_secret_access_key": daemon.secret_key}
    return boto().client("iam", endpoint_url=daemon.url, region_name=daemon.region, **keys)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_for_operators_is_accessible(visit: Visit, daemon: Daemon, origin: str, dark: bool) -> None:
    if not dark:
        ask(origin, "POST", "/groups", {"name": "lookers"})
        ask(origin, "POST", "/users", {"name": "looked-at", "groups": ["lookers"]})
        ask(origin, "POST", "/keys", {"user": "looked-at", "access_key": "LOOKEDAT", "buckets": ["photos"]})
        trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        _iam(daemon).create_role(RoleName="looker", AssumeRolePolicyDocument=trust)
        daemon.client().list_buckets()
    visitor = visit(dark=dark)
    page = visitor.sign_in(hash_="#/access/users")
    for place, heading in PLACES.items():
        if dark and place not in DARK:
            continue
        visitor.goes(place, heading)
        expect(page.locator(".spinner")).to_have_count(0)
        visitor.is_accessible(place)
        visitor.photograph(f"{place[2:].replace('/', '-')}{'-dark' if dark else ''}")


def test_a_user_gets_a_policy_and_a_key_whose_secret_is_shown_once(visit: Visit, origin: str) -> None:
    visitor = visit()
    page = visitor.sign_in(hash_="#/access/users")
    page.get_by_role("button", name="Create user").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("no name")
    expect(form.get_by_label("Name")).to_have_accessible_description(
        'A name is printable, without spaces and any of : / * ? $ " .'
    )
    form.get_by_label("Name").fill("eve")
    form.get_by_role("button", name="Create user").click()

    page.get_by_role("button", name="Add a policy").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("reading")
    form.get_by_label("Document").fill('{"Statement": [{"Effect": "Allow", "Action": "s3:Get*"}]}')
    expect(form.get_by_label("Document")).to_have_accessible_description(
        "Statement 1: Resource or NotResource is needed."
    )
    form.get_by_label("Insert an example").select_option(label="Read all buckets")
    form.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Edit reading").wait_for()

    page.get_by_role("button", name="Create key").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Expires after").select_option(label="7 days")
    form.get_by_label("Limit what the key may do").check()
    form.get_by_label("Networks").fill("nowhere")
    expect(form.get_by_label("Networks")).to_have_accessible_description(
        "Where requests must come from, such as 10.0.0.0/8 or 2001:db8::/32; nothing for anywhere. "
        "nowhere is no network: it looks like 10.0.0.0/8."
    )
    visitor.is_accessible("a new key")
    form.get_by_label("Networks").fill("127.0.0.0/8")
    form.get_by_role("button", name="Create key").click()
    made = page.get_by_role("dialog", name="The key is there")
    key, secret = made.locator("code").all_inner_texts()
    visitor.is_accessible("a key's secret")
    page.keyboard.press("Escape")
    made.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    found = ask(origin, "GET", f"/keys/{key}")
    assert isinstance(found, dict)
    assert (found["user"], found["scope"]["networks"]) == ("eve", ["127.0.0.0/8"])

    visitor.goes("#/access/simulator", "Access")
    page.get_by_label("Who").fill("000000000000/eve")
    page.get_by_label("Action").fill("s3:CreateBucket")
    page.get_by_label("Resource").fill("a-new-bucket")
    page.get_by_role("button", name="Simulate").click()
    verdict = page.get_by_role("region", name="What decides")
    expect(verdict).to_contain_text("Denied")
    page.get_by_label("Action").fill("s3:ListAllMyBuckets")
    page.get_by_label("Resource").fill("*")
    page.get_by_role("button", name="Simulate").click()
    expect(verdict).to_contain_text("ALLOWED: allowed by statement 1 of the policy reading")

    # Whoever has that key sees their own pages, and a sentence instead of the others.
    other = visit()
    page = other.sign_in(key, secret, "#/limits")
    page.get_by_text("Limits is for administrators.").wait_for()
    other.goes("#/access", "Access")
    page.get_by_text("You may not look after keys.").wait_for()
    other.is_accessible("limited access")


def test_own_keys_are_made_and_revoked_without_admin_permissions(visit: Visit, origin: str) -> None:
    ask(origin, "POST", "/users", {"name": "joe"})
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": "*"}]}
    ask(origin, "PUT", "/users/000000000000/joe/policies/own", policy)
    ask(origin, "POST", "/keys", {"user": "joe", "access_key": "JOESKEY", "secret": "the-secret-of-joe"})
    visitor = visit()
    page = visitor.sign_in("JOESKEY", "the-secret-of-joe", "#/access")
    page.get_by_role("button", name="Create key").click()
    made = page.get_by_role("dialog").locator("code").first.inner_text()
    page.get_by_role("button", name="I have copied it").click()
    page.get_by_role("button", name=f"Revoke {made}").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("Revoked.").wait_for()
    expect(page.get_by_role("row")).to_have_count(2)


def test_a_refused_signature_is_seen_as_it_comes_and_explained(visit: Visit, daemon: Daemon) -> None:
    visitor = visit()
    page = visitor.sign_in(hash_="#/requests")
    page.get_by_role("status").get_by_text("Live").wait_for()
    page.get_by_label("Show").select_option(label="Refused signatures")
    query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=geckoadmin%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
    query += "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=" + "0" * 64
    old = Request(f"{daemon.url}/late/one?{query}")
    with pytest.raises(HTTPError):
        urlopen(old)
    client = daemon.client(aws_secret_access_key="not the secret")
    with pytest.raises(client.exceptions.ClientError):
        client.list_objects_v2(Bucket="seen-as-it-comes")
    row = page.get_by_role("row").filter(has_text="/seen-as-it-comes")
    expect(row).to_contain_text("SignatureDoesNotMatch")
    row.get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("Most likely the secret key is another one")
    visitor.is_accessible("a refused signature")
    visitor.photograph("requests-refused")


def test_events_limits_encryption_keys_and_jobs_do_what_their_buttons_say(visit: Visit, origin: str) -> None:
    visitor = visit()
    page = visitor.sign_in(hash_="#/events")
    page.get_by_role("button", name="Send a test event").click()
    page.get_by_role("dialog").get_by_role("button", name="Send a test event").click()
    page.get_by_text("The test event is in the queue.").wait_for()

    visitor.goes("#/limits", "Limits")
    form = page.get_by_role("form", name="Each access key")
    form.get_by_label("Requests a second").fill("many")
    expect(form.get_by_label("Requests a second")).to_have_accessible_description("Enter a number above 0.")
    form.get_by_label("Requests a second").fill("90000")
    page.route(
        "**/api/v1/limits", lambda route: route.fulfill(status=503, body='{"code": "SlowDown", "message": "busy"}')
    )
    form.get_by_role("button", name="Apply").click()
    page.get_by_text("The server is busy right now.").wait_for()
    page.unroute("**/api/v1/limits")
    expect(form.get_by_label("Requests a second")).to_have_value("90000")
    form.get_by_role("button", name="Apply").click()
    form.get_by_text("overridden").wait_for()
    form.get_by_role("button", name="Let the settings count again").click()
    expect(form.get_by_text("overridden")).to_have_count(0)

    visitor.goes("#/encryption-keys", "Encryption keys")
    page.get_by_role("button", name="Create key").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("a b")
    expect(form.get_by_label("Name")).to_have_accessible_description(
        "Uploads and buckets name it as their KMS key. 1 to 128 characters without spaces and slashes."
    )
    form.get_by_label("Name").fill("archive")
    form.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="Rotate archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    expect(page.get_by_role("row").filter(has_text="archive")).to_contain_text("2")

    visitor.goes("#/server/jobs", "Server")
    page.get_by_role("button", name="Run now: sweep").click()
    page.get_by_text("It runs within a second or two.").wait_for()
    visitor.goes("#/server/settings", "Server")
    page.get_by_label("Find a setting").fill("webhook")
    expect(page.get_by_role("row").filter(has_text="webhook").first).to_be_visible()


def test_what_is_damaged_is_read_again_and_purged(visit: Visit, daemon: Daemon, origin: str) -> None:
    ask(origin, "POST", "/buckets", {"name": "ward"})
    daemon.client().put_object(Bucket="ward", Key="cat.txt", Body=b"meow" * 100)
    file = daemon.data_dir / "ward/cat.txt"
    before = file.stat()
    file.write_bytes(b"Meow" * 100)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    client = daemon.client()
    with pytest.raises(client.exceptions.ClientError, match="500|ObjectDamaged"):
        client.get_object(Bucket="ward", Key="cat.txt")["Body"].read()
    visitor = visit()
    page = visitor.sign_in(hash_="#/integrity")
    page.get_by_role("button", name="Read ward/cat.txt again").click()
    page.get_by_text("It is damaged still.").wait_for()
    page.get_by_role("button", name="Restore ward/cat.txt").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Restore").click()
    expect(form.get_by_label("From version")).to_have_accessible_description("Enter the id of a version.")
    visitor.photograph("integrity-restore")
    form.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Purge ward/cat.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Purge").click()
    page.get_by_text("Nothing is in quarantine").wait_for()
    page.get_by_role("button", name="Scrub now").click()
    page.get_by_text("A scrub begins within a minute.").wait_for()
