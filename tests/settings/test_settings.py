"""Settings: which source decides, and what each bad value is told."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.settings import SETTINGS, BadSetting, Settings, kinds
from gecko_tw.settings.sources import plain_arguments, read_settings, texts_of

GECKOS3 = {
    "data_dir": ("--data-dir", "GECKOS3_DATA_DIR", "./data"),
    "listen": ("--listen", "GECKOS3_LISTEN", ":9000"),
    "access_key": ("--access-key", "GECKOS3_ACCESS_KEY", "geckoadmin"),
    "secret_key": ("--secret-key", "GECKOS3_SECRET_KEY", "geckoadmin"),
    "auth": ("--auth", "GECKOS3_AUTH_ENABLED", "true"),
    "metadata": ("--metadata", "GECKOS3_METADATA", "true"),
    "fsync": ("--fsync", "GECKOS3_FSYNC", "false"),
}

THERE = __file__
"""A file that is there."""

BAD = {
    "config": "\x00",
    "data_dir": "",
    "listen": "localhost",
    "admin_listen": "localhost",
    "audit_log": "",
    "minio_admin": "perhaps",
    "minio_metrics": "some",
    "admin_token": "too short",
    "signing_secret": "too short as well",
    "bytebucket_api": "on",
    "public_base_url": "s3.example.com",
    "native_listen": "localhost",
    "access_key": "",
    "secret_key": "",
    "auth": "yes",
    "metadata": "no",
    "fsync": "2",
    "flush_interval": "0",
    "repair": "maybe",
    "layout": "no such layout",
    "attributes": "both",
    "workers": "0",
    "threads": "many",
    "region": "a b",
    "domain": "-s3.example.com",
    "website_domain": "web_site",
    "encryption_key": "too short",
    "seed_account": "a\x07",
    "seed_key_id": "a\x07",
    "seed_secret": "a\x07",
    "webhook": "http://x.test/",
    "host_alias": "http://minio:9000",
    "trusted_proxies": "all",
    "path_prefix": "s3",
    "rate_limit_address": "-1",
    "rate_limit_address_burst": "2x",
    "rate_limit_key": "1e3",
    "rate_limit_key_burst": "some",
    "tls": "auto",
    "tls_check_interval": "often",
    "acme": "nobody",
    "acme_domain": "*.example.com",
    "acme_directory": "letsencrypt",
    "tls_client_ca": "\x00",
    "hsts": "a year",
    "redirect_listen": "80",
    "redirect_port": "https",
    "tls_cert": "\x00",
    "tls_key": "\x00",
    "cors": "none",
    "acl": "obey",
    "signature_v2": "maybe",
    "recreate": "yes",
    "min_part_size": "5MB",
    "transition_minimum_size": "5MB",
    "multipart_max_age": "tomorrow",
    "multipart_sweep_interval": "1h ",
    "scan_interval": "-1",
    "lifecycle_interval": "hourly",
    "access_log_interval": "sometimes",
    "verify_reads": "1.5",
    "snapshot_interval": "weekly",
    "scrub_interval": "weekly",
    "scrub_sample_rate": "-0.1",
    "scrub_bytes_per_second": "-1",
    "scrub_max_per_run": "few",
    "lifecycle_day": "a week",
    "umask": "08",
    "catalog": "mysql://host/name",
    "blobs": "files:relative",
    "s3_target": "far=ftp://k:s@host/b",
    "max_in_flight": "0",
    "max_connections_per_address": "-1",
    "shutdown_timeout": "30 s",
    "request_log": "on",
    "log_level": "INFO",
    "log_format": "xml",
}


@pytest.mark.parametrize("name", GECKOS3)
def test_geckos3_names_and_defaults_are_kept(name):
    one = next(one for one in SETTINGS if one.name == name)
    assert (one.flag, one.environment[0], one.default) == GECKOS3[name]


def test_without_anything_given_every_default_is_in_force():
    assert read_settings({}, {}) == Settings()


def test_a_flag_decides_before_the_environment_and_the_environment_before_the_default():
    environment = {"GECKOS3_REGION": "from-environment"}
    assert read_settings({"region": "from-flag"}, environment).region == "from-flag"
    assert read_settings({"region": None}, environment).region == "from-environment"
    assert read_settings({"region": None}, {}).region == ""


def test_an_empty_environment_variable_counts_as_not_set():
    assert read_settings({}, {"GECKOS3_FSYNC": "", "GECKOS3_LISTEN": ""}) == Settings()


def test_minio_names_are_taken_when_ours_are_not_set():
    minio = {"MINIO_ROOT_USER": "somebody", "MINIO_ROOT_PASSWORD": "secret+/ü"}
    found = read_settings({}, minio)
    assert (found.access_key, found.secret_key) == ("somebody", "secret+/ü")
    assert read_settings({}, minio | {"GECKOS3_ACCESS_KEY": "other"}).access_key == "other"


def test_jays_names_of_a_scrub_are_taken_when_ours_are_not_set():
    jay = {
        "JAY_SCRUB_INTERVAL_HOURS": "6",
        "JAY_SCRUB_SAMPLE_RATE": "0.1",
        "JAY_SCRUB_BYTES_PER_SEC": "52428800",
        "JAY_SCRUB_MAX_PER_RUN": "100",
    }
    found = read_settings({}, jay)
    assert (found.scrub_interval, found.scrub_sample_rate) == (6 * 3600.0, 0.1)
    assert (found.scrub_bytes_per_second, found.scrub_max_per_run) == (52428800, 100)
    assert read_settings({}, jay | {"GECKOS3_SCRUB_INTERVAL": "1d"}).scrub_interval == 86400.0


def test_every_setting_has_a_bad_value_here():
    assert set(BAD) == {one.name for one in SETTINGS}


@pytest.mark.parametrize("one", SETTINGS, ids=lambda one: one.name)
def test_a_bad_value_is_refused_in_one_line_that_names_setting_value_and_what_is_allowed(one):
    bad = BAD[one.name]
    with pytest.raises(BadSetting) as refused:
        read_settings({one.name: [bad] if one.several else bad}, {})
    line = str(refused.value)
    assert line.startswith(f"{one.flag}: ")
    assert line.endswith(f"allowed is {one.kind.allowed}")
    assert "\n" not in line
    assert one.secret or repr(bad) in line


def test_a_bad_value_of_the_environment_is_told_by_the_variable_that_has_it():
    with pytest.raises(BadSetting, match=r"^GECKOS3_AUTH_ENABLED: 'maybe' is not allowed; allowed is one of 1, t, T"):
        read_settings({}, {"GECKOS3_AUTH_ENABLED": "maybe"})


def test_a_bad_secret_is_not_shown():
    with pytest.raises(BadSetting) as refused:
        read_settings({}, {"GECKOS3_SECRET_KEY": "hidden\n"})
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("text", kinds.TRUE + kinds.FALSE)
def test_booleans_are_written_as_in_geckos3(text):
    assert read_settings({"fsync": text}, {}).fsync is (text in kinds.TRUE)


def test_several_places_to_listen_come_from_repeated_flags_or_separated_words():
    assert read_settings({"listen": [":9000", "unix:/run/a,b c"]}, {}).listen == (":9000", "unix:/run/a,b c")
    assert read_settings({}, {"GECKOS3_LISTEN": ":9000, [::1]:9001\ttcp:9002"}).listen == (
        ":9000",
        "[::1]:9001",
        "tcp:9002",
    )


@pytest.mark.parametrize(
    "text", [":9000", "0.0.0.0:1", "host.example:65535", "[::1]:9", "tcp:80", "unix:/s", "systemd:domain=INET:index=0"]
)
def test_all_forms_of_a_place_to_listen_are_taken(text):
    assert read_settings({"listen": [text]}, {}).listen == (text,)


@pytest.mark.parametrize("text", ["9000", ":65536", ":", "::1:9000", "host:", "a b:1", ""])
def test_what_is_no_place_to_listen_is_refused(text):
    with pytest.raises(BadSetting):
        read_settings({"listen": [text]}, {})


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5s", 1.5), ("1h30m", 5400), ("250ms", 0.25), ("2d", 172800), ("0", 0)]
)
def test_durations_have_units(text, seconds):
    assert read_settings({"scan_interval": text}, {}).scan_interval == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("5MiB", 5 << 20), ("64 KiB", 65536), ("7B", 7), ("1GiB", 1 << 30)]
)
def test_sizes_have_units(text, size):
    assert read_settings({"min_part_size": text}, {}).min_part_size == size


def test_a_certificate_needs_its_key_and_both_must_exist(tmp_path):
    there = tmp_path / "there.pem"
    there.touch()
    for flags, line in (
        ({"tls_cert": str(there)}, "--tls-key: ''"),
        ({"tls_key": str(there)}, "--tls-cert: ''"),
        ({"tls_cert": str(there), "tls_key": str(tmp_path / "gone.pem")}, f"--tls-key: '{tmp_path}/gone.pem'"),
        ({"tls_cert": [str(there)] * 2, "tls_key": str(there)}, "--tls-key: 1 are not allowed"),
    ):
        with pytest.raises(BadSetting, match=line):
            read_settings(flags, {})


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ({"tls": "dev", "tls_cert": THERE, "tls_key": THERE}, "--tls: 'dev'"),
        ({"tls": "dev", "acme": "a@b", "acme_domain": ["c.d"]}, "--tls: 'dev'"),
        ({"acme": "a@b", "acme_domain": ["c.d"], "tls_cert": THERE, "tls_key": THERE}, "--acme: is not allowed with"),
        ({"acme": "a@b"}, "--acme-domain: ''"),
        ({"acme_domain": ["c.d"]}, "--acme: ''"),
        ({"tls_client_ca": THERE}, "--tls-client-ca: is not allowed without https"),
        ({"tls": "dev", "tls_client_ca": THERE + ".gone"}, "--tls-client-ca: '.*.gone'"),
        ({"redirect_listen": ":80"}, "--redirect-listen: is not allowed without https"),
        ({"redirect_port": "65536"}, "--redirect-port: '65536'"),
    ],
)
def test_what_is_about_https_needs_https(flags, line):
    with pytest.raises(BadSetting, match=line):
        read_settings(flags, {})


def test_an_endpoint_string_with_tls_is_https_for_a_redirect():
    read_settings({"redirect_listen": ":80", "listen": ["ssl:443:privateKey=k"]}, {})


def test_several_certificates_go_to_workers_as_they_are():
    settings = read_settings({"tls_cert": [THERE, THERE], "tls_key": [THERE, THERE]}, {})
    assert read_settings(texts_of(settings), {}) == settings
    assert read_settings(texts_of(Settings()), {}) == Settings()


def test_abandoned_uploads_cannot_be_looked_for_without_an_interval():
    with pytest.raises(BadSetting, match="--multipart-sweep-interval"):
        read_settings({"multipart_sweep_interval": "0"}, {})
    read_settings({"multipart_sweep_interval": "0", "multipart_max_age": "0"}, {})


@given(
    st.builds(
        Settings,
        access_key=st.text("abc+/ =é", min_size=1),
        workers=st.integers(1, 1000),
        fsync=st.booleans(),
        scan_interval=st.floats(0, 1e9).map(lambda seconds: round(seconds, 3)),
        listen=st.lists(st.sampled_from([":1", "unix:/a, b", "[::1]:2"]), min_size=1).map(tuple),
    )
)
def test_settings_written_as_texts_are_read_as_the_same_settings(settings):
    assert read_settings(texts_of(settings), {"GECKOS3_REGION": "elsewhere"}) == settings


def test_settings_cannot_be_changed():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Settings().auth = False


@pytest.mark.parametrize(
    ("given_line", "plain"),
    [
        (["-data-dir=x", "-fsync"], ["--data-dir=x", "--fsync=true"]),
        (["--auth", "false", "--metadata"], ["--auth", "false", "--metadata=true"]),
        (["--fsync", "--listen", ":1"], ["--fsync=true", "--listen", ":1"]),
        (["-n", "-unknown=1", "x"], ["-n", "-unknown=1", "x"]),
    ],
)
def test_a_command_line_in_geckos3_style_is_understood(given_line, plain):
    assert plain_arguments(given_line) == plain


def test_a_pool_has_no_place_for_sidecars():
    with pytest.raises(BadSetting, match=r"--attributes: 'sidecar' .* --layout=pool"):
        read_settings({"layout": "pool", "attributes": "sidecar"}, {})
    assert read_settings({"layout": "pool"}, {}).layout == "pool"


SHARED = {"catalog": "postgresql://me:secret@host/name", "encryption_key": "k" * 32}


@pytest.mark.parametrize(
    "blobs", ["", "postgresql:", "files:/mnt/objects", "s3:far", "rados:pool?conf=/etc/ceph.conf&user=me"]
)
@pytest.mark.parametrize(
    "catalog", ["postgresql:", "postgresql://host/name", "postgres://me@host:5432/name?sslmode=require"]
)
def test_records_and_bytes_may_be_kept_elsewhere(catalog, blobs):
    found = read_settings(SHARED | {"catalog": catalog, "blobs": blobs}, {})
    assert (found.catalog, found.blobs) == (catalog, blobs)
    assert "secret" not in repr(read_settings(SHARED, {}))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"catalog": "files", "blobs": "postgresql:"}, "--blobs: 'postgresql:'"),
        (SHARED | {"encryption_key": ""}, "--encryption-key: ''"),
        (SHARED | {"layout": "pool"}, "--layout: 'pool'"),
        (SHARED | {"attributes": "sidecar"}, "--attributes: 'sidecar'"),
    ],
)
def test_what_does_not_go_with_a_database_is_refused(given, said):
    with pytest.raises(BadSetting, match=f"^{said} is not allowed; allowed is "):
        read_settings(given, {})
