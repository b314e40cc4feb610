"""Configuration files: what they say about settings, who overrules them, and how mistakes are told."""

import json

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gecko_tw.commands.config import environment_as_yaml
from gecko_tw.settings import SETTINGS, BadSetting
from gecko_tw.settings.entries import read_yaml
from gecko_tw.settings.reading import KEYS, overruled, read_document
from gecko_tw.settings.sources import read_settings
from tests.bootstrap.writing import document

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=("Cs", "Cc"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc$é ", max_size=5), inner, max_size=3),
    max_leaves=8,
)


def refused(folder, text, **environment):
    with pytest.raises(BadSetting) as found:
        document(folder, text, **environment)
    return str(found.value).replace(str(folder / "geckos3.yaml"), "FILE")


def in_force(folder, text, flags, **environment):
    return read_settings(flags, environment, document(folder, text, **environment).settings)


@given(JSON)
def test_json_is_read_as_what_it_is(value):
    text = json.dumps(value, ensure_ascii=False).replace("$", "$$")
    assert read_yaml("f", text, {}).plain() == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2012-10-17", "2012-10-17"),
        ("000000000000", "000000000000"),
        ("012345678901", "012345678901"),
        ("no", "no"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("1e3", "1e3"),
        ("12", 12),
        ("-1.5", -1.5),
        ("true", True),
        ('"true"', "true"),
        ("~", None),
        ('""', ""),
    ],
)
def test_only_plain_numbers_and_words_are_more_than_texts(text, value):
    assert read_yaml("f", f"a: {text}", {}).plain() == {"a": value}


def test_each_setting_is_a_key_of_the_file(tmp_path):
    written = {one.key: [one.default] if one.several else one.default for one in KEYS.values()}
    assert in_force(tmp_path, json.dumps(written), {}) == read_settings({}, {})


def test_the_command_line_decides_before_the_environment_and_the_environment_before_the_file(tmp_path):
    text = "region: file\nlisten: [':1', '[::1]:2']\nfsync: true\nworkers: 3"
    assert in_force(tmp_path, text, {}).region == "file"
    assert in_force(tmp_path, text, {}, GECKOS3_REGION="environment").region == "environment"
    assert in_force(tmp_path, text, {"region": "flag"}, GECKOS3_REGION="environment").region == "flag"
    rest = in_force(tmp_path, text, {}, GECKOS3_REGION="", GECKOS3_FSYNC="")
    assert (rest.listen, rest.fsync, rest.workers, rest.region) == ((":1", "[::1]:2"), True, 3, "file")


def test_whoever_overrules_the_file_is_named_with_the_place_and_without_values(tmp_path):
    text = "region: eu\nsecret-key: in-the-file\nfsync: true\nthreads: 4"
    environment = {"GECKOS3_SECRET_KEY": "in-the-environment", "GECKOS3_FSYNC": "1"}
    lines = overruled({"region": "us", "threads": "4"}, environment, document(tmp_path, text).settings)
    place = tmp_path / "geckos3.yaml"
    assert lines == [f"GECKOS3_SECRET_KEY overrules {place}:2: secret-key", f"--region overrules {place}:1: region"]


def test_variables_are_put_in_and_an_unset_one_is_named_with_its_line(tmp_path):
    assert in_force(tmp_path, "secret-key: '${A}-${B:-b}$$'", {}, A="x").secret_key == "x-b$"
    assert in_force(tmp_path, "secret-key: ${A}", {}, A="Null").secret_key == "Null"
    assert in_force(tmp_path, "region: ${A}", {}, A="").region == ""
    told = refused(tmp_path, "region: eu\nsecret-key: pre${NOPE}")
    assert told.startswith("FILE:2: secret-key: the environment variable NOPE is not set")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fsync: true\ndata_dir: x", "FILE:2: unknown key 'data_dir'; did you mean data-dir? allowed are "),
        ("regin: x", "FILE:1: unknown key 'regin'; did you mean region? allowed are access-key, "),
        ("config: other.yaml", "FILE:1: unknown key 'config'"),
        ("region: eu\nregion: us", "FILE:2: the key 'region' is there twice, first in line 1"),
        ("region: [eu]", "FILE:1: region: must be a text"),
        ("region:", "FILE:1: region: must be a text"),
        ("listen: {a: b}", "FILE:1: listen: must be a list"),
        ("listen: []", "FILE:1: listen: must have a value"),
        ("workers: many", "FILE:1: workers: 'many' is not allowed; allowed is auto"),
        ("fsync: yes", "FILE:1: fsync: 'yes' is not allowed; allowed is one of 1, "),
        ("just text", "FILE:1: must be a mapping"),
        ("? [a]\n: b", "FILE:1: a key must be a text"),
        ("region: &a [*a]", "FILE:1: region[0]: refers to itself"),
        ("a: {", "FILE:1: is no YAML"),
        ("region: eu\n--- \nregion: us", "FILE:2: is no YAML"),
        ("region: \x01", "FILE:1: is no YAML: it has characters that are not allowed"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_place(tmp_path, text, told):
    line = refused(tmp_path, text)
    assert line.startswith(told)
    assert "\n" not in line


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
    assert "too many entries" in refused(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    "written", ["!SECRETxyz", "*SECRETxyz", "!SECRETxyz x", "[SECRETxyz", "{SECRETxyz: 1}", "'SECRETxyz"]
)
def test_no_mistake_makes_a_message_tell_a_secret(tmp_path, written):
    assert "SECRETxyz" not in refused(tmp_path, f"secret-key: {written}\nlisten: ':1'")


def test_no_message_tells_what_a_variable_holds_wherever_it_was_put_in(tmp_path):
    told = refused(tmp_path, "workers: ${SECRET}", SECRET="hush-hush")
    assert told.startswith("FILE:1: workers: this value is not allowed; allowed is auto")
    assert "hush" not in refused(tmp_path, "listen: [':1', '${SECRET}']", SECRET="hush-hush")


def test_an_empty_file_says_nothing(tmp_path):
    assert not document(tmp_path, "").settings
    assert not document(tmp_path, "# nothing\n").sections


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(BadSetting, match=r"No such file"):
        read_document(tmp_path / "nowhere", {})
    (tmp_path / "latin").write_bytes(b"region: \xe9")
    with pytest.raises(BadSetting, match="is not UTF-8"):
        read_document(tmp_path / "latin", {})


GOOD = {
    "data_dir": st.just("/srv/a b$"),
    "access_key": st.text(st.characters(categories=("L", "N", "S", "P")), min_size=1),
    "secret_key": st.text(st.characters(categories=("L", "N", "S", "P")), min_size=1),
    "region": st.sampled_from(["eu", "null", "true", "1"]),
    "seed_account": st.sampled_from(["eu", "null", "1", "${X}", "~"]),
    "seed_key_id": st.just("${aws:username} $$"),
    "seed_secret": st.just("${SECRET:-x}"),
    "listen": st.sampled_from([":1", ":1,:2", "unix:/run/s3.sock :3"]),
    "fsync": st.sampled_from(["true", "f"]),
    "multipart_max_age": st.sampled_from(["24h", "1h30m"]),
}


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.fixed_dictionaries({}, optional=GOOD), st.booleans())
def test_the_environment_as_a_file_means_the_same(tmp_path, values, secrets):
    names = {one.name: one.environment[0] for one in SETTINGS}
    assume(len([name for name in values if name.startswith("seed")]) in (0, 3))
    environment = {names[name]: value for name, value in values.items()}
    text = "\n".join(environment_as_yaml(environment, secrets))
    path = tmp_path / "made.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_settings({}, {}, read_document(path, environment).settings) == read_settings({}, environment)
    assert secrets or "secret_key" not in values or "secret-key: ${GECKOS3_SECRET_KEY}" in text


def test_jays_section_of_a_scrub_is_read(tmp_path):
    text = "scrub:\n  interval_hours: 6\n  sample_rate: 0.1\n  bytes_per_sec: 52428800\n  max_per_run: ${MOST}\n"
    found = in_force(tmp_path, text, {}, MOST="100")
    assert (found.scrub_interval, found.scrub_sample_rate) == (6 * 3600.0, 0.1)
    assert (found.scrub_bytes_per_second, found.scrub_max_per_run) == (52428800, 100)
    assert in_force(tmp_path, text, {"scrub_interval": "1d"}, MOST="100").scrub_interval == 86400.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scrub:\n  interval_hours: often\n", "FILE:2: scrub.interval_hours: 'oftenh' is not allowed"),
        ("scrub:\n  rate: 1\n", "FILE:2: scrub: unknown key 'rate'; allowed are bytes_per_sec"),
        (
            "scrub-interval: 1d\nscrub:\n  interval_hours: 6\n",
            "FILE:3: scrub.interval_hours: is there as scrub-interval",
        ),
        ("scrub:\n  interval_hours: 6\nscrub-interval: 1d\n", "FILE:3: scrub-interval: is there as"),
    ],
)
def test_mistakes_in_jays_section_are_told_with_their_place(tmp_path, text, told):
    assert refused(tmp_path, text).startswith(told)
