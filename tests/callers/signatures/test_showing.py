"""What is shown of a request whose signature is wrong."""

import pytest

from gecko_tw.callers.signatures.showing import SECRETS, without_secrets

CANONICAL = b"""PUT
/photos/a=b
prefix=a&%s=c2VjcmV0
host:localhost
%s:c2VjcmV0
x-amz-server-side-encryption-customer-key-md5:bWQ1

host;x-amz-date
UNSIGNED-PAYLOAD"""


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_secrets_are_masked_in_headers_and_in_queries_and_the_rest_stays(name: bytes) -> None:
    shown = without_secrets(CANONICAL % (name.title(), name))
    assert shown == CANONICAL.replace(b"c2VjcmV0", b"***") % (name.title(), name)


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_secrets_are_masked_in_a_string_to_sign_of_version_two(name: bytes) -> None:
    signed = b"GET\n\n\n1795230000\n%s:c2VjcmV0\n/photos/k?uploadId=a&%s=c2VjcmV0" % (name, name)
    assert without_secrets(signed) == signed.replace(b"c2VjcmV0", b"***")


def test_what_has_no_secrets_is_shown_as_it_is() -> None:
    signed = CANONICAL % (b"x-amz-acl", b"x-amz-acl")
    assert without_secrets(signed) == signed
