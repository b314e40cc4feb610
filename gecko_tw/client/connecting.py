"""From a URL and credentials to a client."""

from typing import Any
from urllib.parse import urlsplit

import botocore.session
from attrs import frozen
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import Credentials

from gecko_tw.client.errors import WrongEndpoint
from gecko_tw.client.exchange import Exchange, Limits
from gecko_tw.client.hooks import Hooks
from gecko_tw.client.operations import Operations
from gecko_tw.client.parsing import Parsers
from gecko_tw.client.pausing import deferred, leaving
from gecko_tw.client.s3 import S3
from gecko_tw.client.trust import trusting
from gecko_tw.pools import Pool

REGION = "us-east-1"
"""What servers that know no regions are told."""


@frozen(kw_only=True)
class Options:
    """How a client behaves. What is None is as botocore finds it: in the environment, in ``~/.aws/config``, or its default.

    :ivar profile: a profile of ``~/.aws``.
    :ivar anonymous: whether requests are not signed.
    :ivar verify: False for no check of certificates, or the path of a PEM file with the authorities to trust; None for AWS_CA_BUNDLE, or
        the authorities that this machine trusts.
    :ivar addressing_style: ``"path"`` or ``"virtual"``: where buckets are named.
    :ivar connect_timeout: seconds until there is a connection.
    :ivar read_timeout: seconds in which something more of a request or its answer must move.
    :ivar max_attempts: how often a request is tried in all, waiting longer each time.
    :ivar max_connections: open at a time; further requests wait for one. An answer whose body was not read yet has one.
    :ivar checksums: ``"when_supported"`` or ``"when_required"``: which requests get a checksum.
    :ivar threads: for files and hashing, at most.
    """

    profile: str | None = None
    anonymous: bool = False
    verify: bool | str | None = None
    addressing_style: str | None = None
    connect_timeout: float = 60.0
    read_timeout: float = 60.0
    max_attempts: int | None = None
    max_connections: int = 100
    checksums: str | None = None
    threads: int = 4

    def config(self) -> Config:
        """The same for botocore."""
        # A session of an S3 Express bucket is renewed under a lock of threads, which a greenlet may not wait for.
        s3: dict[str, object] = {"disable_s3_express_session_auth": True}
        retries: dict[str, object] = {"mode": "standard"}
        if self.addressing_style is not None:
            s3["addressing_style"] = self.addressing_style
        if self.max_attempts is not None:
            retries["total_max_attempts"] = self.max_attempts
        return Config(
            signature_version=UNSIGNED if self.anonymous else "s3v4",  # or URLs would be signed with version 2
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            retries=retries,
            s3=s3,
            request_checksum_calculation=self.checksums,
        )


@frozen
class _Keys:
    access_key: str | None
    secret_key: str | None
    token: str | None


@deferred
async def connect(
    url: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    token: str | None = None,
    *,
    region: str | None = None,
    options: Options | None = None,
    reactor: Any = None,  # a reactor is several interfaces
) -> S3:
    """A client for a server. Nothing is asked of it yet: the first request tells whether it is there.

    :param url: e.g. ``"http://localhost:9000"``; None for AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's, or else AWS.
    :param access_key: None for the usual places: the environment, ``~/.aws``, web identities, containers, instances.
    :param secret_key: of the access key.
    :param token: of a session.
    :param region: None for the environment's, or the profile's, or else us-east-1.
    :param reactor: None for the one that runs.
    :raises WrongEndpoint: the URL is none.
    """
    if reactor is None:
        from twisted.internet import reactor  # a program may install its own before it connects
    if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        raise WrongEndpoint(
            f"{url!r} is not the URL of a server: it begins with http:// or https://, and a host follows."
        )
    if (access_key is None) != (secret_key is None):
        raise ValueError("access_key and secret_key are given together, or neither of them")
    given = Options() if options is None else options
    pool = Pool(reactor, "s3-client", given.threads)
    keys = _Keys(access_key, secret_key, token)
    # The descriptions of S3 are a megabyte, and credentials may come from the network.
    client, credentials, policy = await leaving(pool.run(_client, url, keys, region, given))
    exchange = Exchange(reactor, pool, policy, Limits(given.max_connections, given.connect_timeout, given.read_timeout))
    Hooks(reactor, pool, exchange, credentials).install(client, client.meta.config.retries.get("total_max_attempts"))
    return S3(Operations(client, pool, exchange))


def _client(url: str | None, keys: _Keys, region: str | None, options: Options) -> tuple[Any, Credentials | None, Any]:
    """A client of botocore's, the credentials that it found, and which certificates are good. Blocks."""
    session = botocore.session.Session(profile=options.profile)
    session.register_component("response_parser_factory", Parsers())
    credentials = None
    if keys.access_key is None and not options.anonymous:
        credentials = session.get_credentials()
    client = session.create_client(
        "s3",
        region_name=region or session.get_config_variable("region") or REGION,
        endpoint_url=url,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
        config=options.config(),
    )
    verify = options.verify
    if verify is None:
        verify = session.get_config_variable("ca_bundle") or True
    return client, credentials, trusting(verify)
