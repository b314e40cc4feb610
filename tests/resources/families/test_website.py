"""Buckets shown as websites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.documents import website
from tests.resources.asking import Shop, shop

HOST = {"host": "photos.web.test"}
POLICY = b"""{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
 "Resource": "arn:aws:s3:::photos/*"}]}"""


def configuration(inside: str) -> bytes:
    return f"<WebsiteConfiguration>{inside}</WebsiteConfiguration>".encode()


INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"
ERROR = "<ErrorDocument><Key>oops.html</Key></ErrorDocument>"


@pytest.fixture
def site() -> Shop:
    """A bucket that everybody may read, with an index and a page for errors."""
    here = shop(website_domains=("web.test",))
    here.ask("PUT", "/photos")
    for key in ("index.html", "cats/index.html", "cats/tom.html", "oops.html"):
        here.ask("PUT", f"/photos/{key}", key.encode(), headers={"content-type": "text/html"})
    here.ask("PUT", "/photos?policy", POLICY)
    set_site(here, INDEX + ERROR)
    here.service.authenticator._enabled = True
    return here


def set_site(here: Shop, inside: str) -> int:
    before, here.service.authenticator._enabled = here.service.authenticator._enabled, False
    try:
        return here.ask("PUT", "/photos?website", configuration(inside)).status
    finally:
        here.service.authenticator._enabled = before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", b"index.html"),
        ("/cats/", b"cats/index.html"),
        ("/cats/tom.html", b"cats/tom.html"),
        ("/?acl&versionId=x", b"index.html"),
    ],
)
def test_pages_and_indices_are_shown(site, path, body):
    answer = site.ask("GET", path, headers=HOST)
    assert (answer.status, answer.body, answer.header("Content-Type")) == (200, body, "text/html")
    assert site.ask("HEAD", path, headers=HOST).status == 200


def test_a_directory_without_its_slash_is_redirected(site):
    for query in ("", "?page=2&x=%2F"):
        answer = site.ask("GET", f"/cats{query}", headers=HOST)
        assert (answer.status, answer.header("Location")) == (302, f"/cats/{query}")


def test_a_directory_whose_name_begins_with_a_slash_redirects_to_no_other_host(site):
    site.service.authenticator._enabled = False
    site.ask("PUT", "/photos//evil.test/index.html", b"index")
    site.service.authenticator._enabled = True
    answer = site.ask("GET", "//evil.test", headers=HOST)
    assert (answer.status, answer.header("Location")) == (302, "/%2Fevil.test/")
    assert site.ask("GET", "/%2Fevil.test/", headers=HOST).body == b"index"


def test_the_error_page_keeps_the_status_and_is_sent_whole(site):
    site.service.authenticator._enabled = True
    answer = site.ask("GET", "/nobody", headers=HOST | {"range": "bytes=1-2"})
    # Anonymous visitors may not list the bucket, so what is missing is forbidden to them.
    assert (answer.status, answer.body) == (403, b"oops.html")


def test_without_an_error_page_people_get_html(site):
    set_site(site, INDEX)
    answer = site.ask("GET", "/<script>", headers=HOST)
    assert answer.status == 403
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert b"AccessDenied" in answer.body
    assert b"<script>" not in answer.body


def test_a_bucket_that_is_no_website_and_one_that_is_not_there_say_so(site):
    site.service.authenticator._enabled = False
    site.ask("DELETE", "/photos?website")
    answers = [site.ask("GET", "/", headers={"host": host}) for host in ("photos.web.test", "other.web.test")]
    assert [answer.status for answer in answers] == [404, 404]
    assert b"NoSuchWebsiteConfiguration" in answers[0].body
    assert b"NoSuchBucket" in answers[1].body


def test_what_anonymous_visitors_may_not_read_is_not_shown(site):
    site.service.authenticator._enabled = False
    site.ask("DELETE", "/photos?policy")
    site.service.authenticator._enabled = True
    assert site.ask("GET", "/", headers=HOST).status == 403


def test_a_website_takes_no_writes(site):
    answer = site.ask("PUT", "/index.html", b"new", headers=HOST)
    assert answer.status == 405
    assert site.ask("GET", "/", headers=HOST).body == b"index.html"


def test_everything_may_be_redirected(site):
    set_site(
        site,
        "<RedirectAllRequestsTo><HostName>example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>",
    )
    for query in ("", "?page=2&x=%2F"):
        answer = site.ask("GET", f"/a%20b/c{query}", headers=HOST)
        assert (answer.status, answer.header("Location")) == (301, f"https://example.com/a%20b/c{query}")


def test_an_object_may_be_a_redirect(site):
    site.service.authenticator._enabled = False
    site.ask("PUT", "/photos/old", b"", headers={"x-amz-website-redirect-location": "/new"})
    site.service.authenticator._enabled = True
    answer = site.ask("GET", "/old?page=2", headers=HOST)
    assert (answer.status, answer.header("Location")) == (301, "/new")


def rule(redirect: str, condition: str = "") -> str:
    condition = f"<Condition>{condition}</Condition>" if condition else ""
    return f"<RoutingRules><RoutingRule>{condition}<Redirect>{redirect}</Redirect></RoutingRule></RoutingRules>"


@pytest.mark.parametrize(
    ("rules", "path", "status", "place"),
    [
        (
            rule(
                "<ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith>",
                "<KeyPrefixEquals>docs/</KeyPrefixEquals>",
            ),
            "/docs/a",
            301,
            "http://photos.web.test/documents/a",
        ),
        (
            rule(
                "<HostName>x.test</HostName><HttpRedirectCode>302</HttpRedirectCode><ReplaceKeyWith>e</ReplaceKeyWith>",
                "<HttpErrorCodeReturnedEquals>403</HttpErrorCodeReturnedEquals>",
            ),
            "/nobody",
            302,
            "http://x.test/e",
        ),
        (
            rule(
                "<ReplaceKeyPrefixWith>#!/</ReplaceKeyPrefixWith>",
                "<KeyPrefixEquals>app/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>403</HttpErrorCodeReturnedEquals>",
            ),
            "/app/x",
            301,
            "http://photos.web.test/#!/x",
        ),
        (rule("<ReplaceKeyWith>e</ReplaceKeyWith>"), "/nobody?page=2", 301, "http://photos.web.test/e?page=2"),
        (rule("<ReplaceKeyWith>e?a=1</ReplaceKeyWith>"), "/x?b=2", 301, "http://photos.web.test/e?a=1&b=2"),
        (
            rule("<HostName>x.test</HostName>", "<HttpErrorCodeReturnedEquals>403</HttpErrorCodeReturnedEquals>"),
            "/nobody?page=2",
            301,
            "http://x.test/nobody?page=2",
        ),
    ],
)
def test_routing_rules_redirect(site, rules, path, status, place):
    set_site(site, INDEX + rules)
    answer = site.ask("GET", path, headers=HOST)
    assert (answer.status, answer.header("Location")) == (status, place)


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("", b"InvalidArgument"),
        ("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>", b"InvalidArgument"),
        ("<IndexDocument/>", b"MalformedXML"),
        (INDEX + "<Other/>", b"MalformedXML"),
        (INDEX + "<RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo>", b"InvalidRequest"),
        (INDEX + rule("<HttpRedirectCode>200</HttpRedirectCode>"), b"InvalidRequest"),
        (INDEX + rule("<Protocol>ftp</Protocol>"), b"InvalidRequest"),
        (
            INDEX + rule("<HostName>h</HostName>", "<HttpErrorCodeReturnedEquals>200</HttpErrorCodeReturnedEquals>"),
            b"InvalidRequest",
        ),
        (
            INDEX + rule("<ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>b</ReplaceKeyPrefixWith>"),
            b"InvalidRequest",
        ),
        (INDEX + rule("<HostName>h</HostName>") * 2, b""),
    ],
)
def test_configurations_are_checked(inside, code):
    here = shop()
    here.ask("PUT", "/photos")
    answer = here.ask("PUT", "/photos?website", configuration(inside))
    assert (answer.status, code in answer.body) == (400 if code else 200, True)
    assert (here.ask("GET", "/photos?website").status == 200) == (not code)


def test_a_configuration_comes_back_as_it_was_given_and_goes():
    here = shop()
    here.ask("PUT", "/photos")
    assert b"NoSuchWebsiteConfiguration" in here.ask("GET", "/photos?website").body
    given = INDEX + ERROR + rule("<HostName>h</HostName>", "<KeyPrefixEquals>a&amp;b</KeyPrefixEquals>")
    here.ask("PUT", "/photos?website", configuration(given))
    assert given.encode() in here.ask("GET", "/photos?website").body
    assert here.ask("DELETE", "/photos?website").status == 204
    assert here.ask("GET", "/photos?website").status == 404


@given(st.text(), st.text(max_size=5))
def test_no_key_breaks_a_location_header(key, prefix):
    _, place = website.redirected({"Redirect": {"ReplaceKeyPrefixWith": prefix}}, key, "http", "h")
    assert place.isascii()
    assert place.isprintable()
    assert " " not in place


@pytest.mark.parametrize("place", ["ftp://example.com", "example.com", "mailto:a@b"])
def test_no_object_redirects_to_what_is_no_path_and_no_url(place: str) -> None:
    there = shop()
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat", b"meow")
    name = "x-amz-website-redirect-location"
    fields = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{text}\r\n'
        for field, text in (("key", "new"), (name, place))
    )
    form = fields + '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nmeow\r\n--x--\r\n'
    for method, target, body, headers in (
        ("PUT", "/photos/new", b"meow", {name: place}),
        ("PUT", "/photos/new", b"", {name: place, "x-amz-copy-source": "photos/cat"}),
        (
            "PUT",
            "/photos/new",
            b"",
            {name: place, "x-amz-copy-source": "photos/cat", "x-amz-metadata-directive": "REPLACE"},
        ),
        ("POST", "/photos/new?uploads", b"", {name: place}),
        ("POST", "/photos", form.encode(), {"content-type": "multipart/form-data; boundary=x"}),
    ):
        reply = there.ask(method, target, body, headers=headers)
        assert (reply.status, b"<Code>InvalidRedirectLocation</Code>" in reply.body) == (400, True), (method, target)
    assert there.ask("GET", "/photos/new").status == 404
