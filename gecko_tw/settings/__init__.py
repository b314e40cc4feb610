"""Every setting once: its flag, its environment names, its default, what it allows and what it means."""

from pathlib import Path

from attrs import fields, frozen

from gecko_tw.settings import kinds
from gecko_tw.settings.setting import BadSetting as BadSetting
from gecko_tw.settings.setting import Setting as Setting
from gecko_tw.settings.setting import described, setting
from gecko_tw.settings.targets import S3Target

DEFAULT_KEY = "geckoadmin"


@frozen(kw_only=True)
class Settings:
    """What a daemon is told: GeckoS3's settings first, under its names, then ours. Durations in seconds, sizes in bytes."""

    config: Path | None = setting(
        "",
        kinds.CONFIG,
        "a YAML file with settings, and with buckets, accounts, users, groups, keys and policies to be there; read again on SIGHUP",
    )
    data_dir: Path = setting("./data", kinds.FOLDER, "the directory to serve; made when it is missing")
    listen: tuple[str, ...] = setting(
        ":9000",
        kinds.LISTEN,
        "where to listen: `:port`, `host:port`, `[address]:port` or a Twisted endpoint string (`unix:/run/s3.sock`, `ssl:…`,"
        " `systemd:domain=INET:index=0`); may be given more than once",
        several=True,
    )
    admin_listen: str = setting(
        "off",
        kinds.ADMIN_LISTEN,
        "where the admin API, metrics and health are served to whoever operates this, in the same forms as `--listen`, e.g."
        " `127.0.0.1:9001`; `off` for nowhere. Nobody is asked who they are who look at metrics and health",
    )
    audit_log: str = setting(
        "stdout",
        kinds.AUDIT_LOG,
        "where each change by the admin API is told, a line of JSON: `stdout`, `off`, or a file that lines are added to",
    )
    minio_admin: bool = setting("true", kinds.BOOLEAN, "whether `mc admin` is answered on the ports of S3")
    minio_metrics: str = setting(
        "jwt",
        kinds.one_of("jwt", "public", "off"),
        "who scrapes `/minio/v2/metrics/…` there: whoever has a token of `mc admin prometheus generate`, everybody, nobody",
        "GECKOS3_MINIO_METRICS",
        "MINIO_PROMETHEUS_AUTH_TYPE",
    )
    admin_token: str = setting(
        "",
        kinds.LONG_SECRET,
        "switches Jay's administration (`/_jay/…`) on where `--admin-listen` is, for whoever has this token",
        "GECKOS3_ADMIN_TOKEN",
        "JAY_ADMIN_TOKEN",
        secret=True,
    )
    signing_secret: str = setting(
        "",
        kinds.LONG_SECRET,
        "what Jay's presigned URLs (`X-Jay-Signature`) are signed with; without it, and with `--admin-token`, a secret of its own",
        "GECKOS3_SIGNING_SECRET",
        "JAY_SIGNING_SECRET",
        secret=True,
    )
    bytebucket_api: str = setting(
        "private",
        kinds.one_of("off", "private", "any"),
        "whether ByteBucket's administration (`/api/users`, `/api/config`, `/api/s3/…`) is where `--admin-listen` is: its secrets come in"
        " headers, so `private` lets only in who comes by https or from a loopback or private address, `any` everybody",
    )
    public_base_url: str = setting(
        "",
        kinds.BASE_URL,
        "where clients find S3, e.g. `https://s3.example.com`, for URLs that are made for them; empty for the host that was asked",
        "GECKOS3_PUBLIC_BASE_URL",
        "PUBLIC_BASE_URL",
    )
    native_listen: str = setting(
        "off",
        kinds.ADMIN_LISTEN,
        "where the native binary protocol is served, in the same forms as `--listen`, e.g. `:4444`; `off` for nowhere",
    )
    access_key: str = setting(
        DEFAULT_KEY, kinds.TEXT, "the access key id that may do everything", "GECKOS3_ACCESS_KEY", "MINIO_ROOT_USER"
    )
    secret_key: str = setting(
        DEFAULT_KEY,
        kinds.TEXT,
        "its secret; better given in the environment, where other users of the machine cannot read it",
        "GECKOS3_SECRET_KEY",
        "MINIO_ROOT_PASSWORD",
        secret=True,
    )
    encryption_key: str = setting(
        "",
        kinds.ENCRYPTION_KEY,
        "what secrets are encrypted with at rest; without it a key is made once, in `.geckos3/encryption.key`",
        secret=True,
    )
    seed_account: str = setting(
        "", kinds.ANY_TEXT, "an account to make at the start, with the key pair of the next two"
    )
    seed_key_id: str = setting("", kinds.ANY_TEXT, "the access key id of the seeded account")
    seed_secret: str = setting(
        "", kinds.ANY_TEXT, "its secret; one that is there already is never changed", secret=True
    )
    auth: bool = setting(
        "true",
        kinds.BOOLEAN,
        "whether requests must be signed; `false` lets everybody do everything",
        "GECKOS3_AUTH_ENABLED",
    )
    metadata: bool = setting(
        "true", kinds.BOOLEAN, "whether to hash bodies and keep attributes; `false` is for caches and tests of others"
    )
    fsync: bool = setting("false", kinds.BOOLEAN, "whether a success means that the bytes are on the disk")
    flush_interval: float = setting(
        "1s",
        kinds.INTERVAL,
        "how often what was stored is put on the disk: without `--fsync=true` a power failure can cost what is newer, and nothing else",
    )
    repair: str = setting(
        "auto",
        kinds.one_of("auto", "refuse"),
        "what becomes of a catalog that is lost, damaged or older than the files: `auto` makes it again from them, `refuse` does not start",
    )
    layout: str = setting(
        "files",
        kinds.LAYOUT,
        "how the data directory is laid out, fixed when it is made: `files` keeps objects as ordinary files, `pool` is faster and keeps"
        " them as nobody else can read them; dropins may bring others",
    )
    catalog: str = setting(
        "files",
        kinds.CATALOG,
        "where records are kept: `files` in the data directory, or a PostgreSQL database that any number of nodes share, as"
        " `postgresql://user@host/database`; `postgresql:` alone takes `DATABASE_URL`. Then nothing in the data directory must last",
        secret=True,
    )
    blobs: str = setting(
        "",
        kinds.BLOBS,
        "where bytes are kept when `--catalog` is a database: there (`postgresql:`, the default), in a directory that all nodes share"
        " (`files:/mnt/objects`), in a bucket of another S3 (`s3:NAME`), or in a pool of Ceph (`rados:POOL`)",
    )
    s3_target: tuple[S3Target | None, ...] = setting(
        "",
        kinds.S3_TARGET,
        "a bucket of another S3 for `--blobs=s3:NAME`: `NAME=https://KEY:SECRET@host/BUCKET/PREFIX?region=…`; may be repeated",
        several=True,
        secret=True,
    )
    umask: str = setting(
        "",
        kinds.UMASK,
        "what is taken from the mode of objects' files (0666) and directories (0777); empty leaves the umask that the process has",
    )
    attributes: str = setting(
        "xattr",
        kinds.one_of("xattr", "sidecar"),
        "where an object's attributes are kept beside its bytes: an extended attribute, or a `<name>.metadata.json` file",
    )
    workers: int = setting(
        "auto", kinds.WORKERS, "how many processes answer requests; `auto` is one a core, 1 serves in the main process"
    )
    threads: int = setting("16", kinds.COUNT, "threads for disk work in each process, at most")
    region: str = setting("", kinds.REGION, "the region that signatures must name; empty accepts any")
    signature_v2: bool = setting(
        "true",
        kinds.BOOLEAN,
        "whether signatures of version 2 are accepted: boto3 presigns URLs and browser forms so unless it is told otherwise",
    )
    domain: str = setting(
        "", kinds.DOMAIN, "serve `bucket.<domain>` as the bucket, too; without it only paths name buckets"
    )
    website_domain: str = setting(
        "",
        kinds.DOMAIN,
        "serve `bucket.<website-domain>` as the website that the bucket is configured to be; empty serves none",
    )
    host_alias: tuple[str, ...] = setting(
        "",
        kinds.HOST,
        "a name, with port, under which clients reach this server and that its proxy or port mapping does not pass on: signatures for"
        " it are good, too; may be given more than once",
        several=True,
    )
    trusted_proxies: int = setting(
        "0",
        kinds.NUMBER,
        "how many proxies stand in front: the client's address is that many from the right of `X-Forwarded-For`, and"
        " `X-Forwarded-Proto`, `-Host` and `-Port` are believed",
    )
    path_prefix: str = setting(
        "",
        kinds.PREFIX,
        "the path below which clients find this server, e.g. `/s3`, whether its proxy strips it or not",
    )
    webhook: tuple[str, ...] = setting(
        "",
        kinds.WEBHOOK,
        "where events go: `NAME=URL` makes `arn:minio:sqs::NAME:webhook` a destination of bucket notifications; may be given more"
        " than once",
        several=True,
        secret=True,
    )
    tls: str = setting(
        "files",
        kinds.one_of("files", "dev"),
        "`files` serves https when `--tls-cert` and `--tls-key` are given; `dev` makes a certificate for this machine, whose authority"
        " `.geckos3/tls/authority.pem` clients must be told to trust: for development only",
    )
    tls_cert: tuple[Path | None, ...] = setting(
        "",
        kinds.FILE,
        "certificate chain as a PEM file: turns the host and port forms of `--listen` into https; given more than once, with as many"
        " keys, clients get the one for the name they ask for, and the first for any other",
        several=True,
    )
    tls_key: tuple[Path | None, ...] = setting(
        "", kinds.FILE, "the private key of `--tls-cert` as a PEM file; of several in the same order", several=True
    )
    acme: str = setting(
        "",
        kinds.EMAIL,
        "serves https with a certificate that a certificate authority gives for `--acme-domain` and renews by itself (ACME), and is the"
        " address that the authority writes to; whoever sets it agrees to the authority's terms",
    )
    acme_domain: tuple[str, ...] = setting(
        "", kinds.DOMAIN, "a name to have in that certificate; may be given more than once", several=True
    )
    acme_directory: str = setting(
        "https://acme-v02.api.letsencrypt.org/directory",
        kinds.DIRECTORY,
        "the certificate authority: the URL of its ACME directory",
    )
    tls_check_interval: float = setting(
        "10s",
        kinds.DURATION,
        "how often to look whether the files of certificates and keys have changed; `0` reads them again on SIGHUP only",
    )
    tls_client_ca: Path | None = setting(
        "",
        kinds.FILE,
        "PEM file of authorities: only clients with a certificate of one of them are let in by https, whatever they sign",
    )
    hsts: float = setting(
        "0",
        kinds.DURATION,
        "how long browsers are to use https alone (`Strict-Transport-Security` in answers over https), e.g. `365d`; `0` says nothing",
    )
    redirect_listen: str = setting(
        "off",
        kinds.ADMIN_LISTEN,
        "where http is answered with nothing but a redirect to the first https place of `--listen`, e.g. `:80`; `off` for nowhere",
    )
    redirect_port: int = setting(
        "0",
        kinds.NUMBER,
        "the port that redirects name, where clients reach https by another one than it has here; `0` for its own",
    )
    cors: str = setting(
        "permissive",
        kinds.one_of("permissive", "bucket"),
        "`permissive` lets pages of every origin read answers until a bucket has a CORS configuration of its own; `bucket` only"
        " then, as AWS does",
    )
    acl: str = setting(
        "honour",
        kinds.one_of("honour", "ignore", "refuse"),
        "what becomes of access control lists: `honour` keeps and obeys them, `ignore` accepts and forgets them, `refuse` makes new"
        " buckets without them, as AWS does",
    )
    recreate: str = setting(
        "accept",
        kinds.one_of("accept", "refuse"),
        "what becomes of creating a bucket that the caller owns already: `accept` answers 200 and changes nothing, as AWS's region"
        " us-east-1 and GeckoS3 do, `refuse` answers 409, as AWS's other regions do",
    )
    min_part_size: int = setting(
        "5MiB", kinds.SIZE, "the least size of a part of a multipart upload, but the last; `0` allows any"
    )
    multipart_max_age: float = setting(
        "24h", kinds.DURATION, "multipart uploads older than this are aborted; `0` keeps them"
    )
    multipart_sweep_interval: float = setting("1h", kinds.DURATION, "how often to look for such uploads")
    scan_interval: float = setting("1h", kinds.DURATION, "how often to look for unnoticed files; `0` only at start")
    lifecycle_interval: float = setting(
        "1h", kinds.DURATION, "how often to look for objects that the lifecycle rules of buckets let expire"
    )
    lifecycle_day: float = setting(
        "24h",
        kinds.DURATION,
        "how long a day of a lifecycle rule is: a few seconds let tests see objects expire; days of another length are not"
        " rounded up to midnight",
    )
    transition_minimum_size: int = setting(
        "128KiB",
        kinds.SIZE,
        "objects of fewer bytes are moved to another storage class only by lifecycle rules that choose by size, as AWS does it; `0`"
        " moves all",
    )
    verify_reads: float = setting(
        "0.01",
        kinds.SHARE,
        "the share of downloads that are compared with their checksums while they are sent, `1` for all; objects of up to 16 KiB with"
        " a CRC always are when they are first sent. `0` compares none",
    )
    snapshot_interval: float = setting(
        "1h",
        kinds.DURATION,
        "how often a snapshot of the catalog is taken and kept for a while, in `.geckos3/snapshots`; `0` for never",
    )
    scrub_interval: float = setting(
        "7d",
        kinds.DURATION,
        "how often all stored bytes are read again and compared with their checksums, in the background; `0` for never",
        "GECKOS3_SCRUB_INTERVAL",
        "JAY_SCRUB_INTERVAL_HOURS",
    )
    scrub_sample_rate: float = setting(
        "1",
        kinds.SHARE,
        "the share of versions that each such scrub reads",
        "GECKOS3_SCRUB_SAMPLE_RATE",
        "JAY_SCRUB_SAMPLE_RATE",
    )
    scrub_bytes_per_second: int = setting(
        "8MiB",
        kinds.SIZE,
        "bytes that a scrub reads in a second at most; `0` for no limit",
        "GECKOS3_SCRUB_BYTES_PER_SECOND",
        "JAY_SCRUB_BYTES_PER_SEC",
    )
    scrub_max_per_run: int = setting(
        "0",
        kinds.NUMBER,
        "versions after which a scrub goes on an interval later only; `0` for no limit",
        "GECKOS3_SCRUB_MAX_PER_RUN",
        "JAY_SCRUB_MAX_PER_RUN",
    )
    access_log_interval: float = setting(
        "5m", kinds.DURATION, "how often the access logs of buckets are written to the buckets they go to"
    )
    max_in_flight: int = setting(
        "1024", kinds.COUNT, "requests under way in each process before further ones are answered 503 SlowDown"
    )
    max_connections_per_address: int = setting(
        "0",
        kinds.NUMBER,
        "connections that each client address may have to each process at a time, further ones being closed at once; behind a proxy it"
        " is the proxy that is counted; `0` for no limit",
    )
    rate_limit_address: float = setting(
        "0", kinds.RATE, "requests a second that each client address may make, all processes together; `0` for no limit"
    )
    rate_limit_address_burst: float = setting(
        "0", kinds.RATE, "how many of them may come at once; `0` for those of two seconds"
    )
    rate_limit_key: float = setting(
        "0", kinds.RATE, "requests a second that each access key may make, all processes together; `0` for no limit"
    )
    rate_limit_key_burst: float = setting(
        "0", kinds.RATE, "how many of them may come at once; `0` for those of two seconds"
    )
    shutdown_timeout: float = setting("30s", kinds.DURATION, "how long requests under way may take after SIGTERM")
    request_log: bool = setting("true", kinds.BOOLEAN, "whether to write a line for each request to standard output")
    log_level: str = setting(
        "info",
        kinds.one_of("debug", "info", "warn", "error", "critical"),
        "the least level of messages on standard error",
    )
    log_format: str = setting(
        "mixed",
        kinds.one_of("mixed", "json", "text"),
        "`mixed` writes requests as JSON and messages as text, as GeckoS3 does",
    )


SETTINGS: tuple[Setting, ...] = tuple(described(attribute) for attribute in fields(Settings))
"""Every setting, in the order of the fields."""
