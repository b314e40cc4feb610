"""Buckets of another S3, as the setting and as a configuration file name them."""

from pathlib import Path

import pytest

from gecko_tw.settings import BadSetting
from gecko_tw.settings.reading import configured
from gecko_tw.settings.targets import S3Target, target_of

FAR = S3Target(
    name="far",
    endpoint="https://s3.example.net:9000",
    bucket="bytes",
    access_key="AK/IA",
    secret_key="a/b+c=d@e:f?g%",
    region="eu-west-1",
    prefix="objects/ü/",
)


def test_a_target_is_written_and_read():
    assert target_of(str(FAR)) == FAR
    assert target_of("far=http://k:s@127.0.0.1:1/b") == S3Target("far", "http://127.0.0.1:1", "b", "k", "s")
    assert FAR.secret_key not in repr(FAR)
    assert "a/b" not in FAR.place


@pytest.mark.parametrize(
    "text",
    (
        "far",
        "far=ftp://k:s@host/b",
        "far=https://host/b",
        "far=https://k:s@host",
        "far=https://k:s@host/b?zone=1",
        "far=https://k:s@host/b#x",
        "fär=https://k:s@host/b",
    ),
)
def test_what_is_no_target_is_refused(text: str):
    with pytest.raises(ValueError):
        target_of(text)


def test_a_configuration_file_names_targets_by_mapping_or_text(tmp_path: Path):
    file = tmp_path / "geckos3.yaml"
    file.write_text(
        """
s3-target:
  far:
    endpoint: https://s3.example.net:9000/
    bucket: bytes
    region: eu-west-1
    prefix: objects/ü/
    access-key: AK/IA
    secret-key: ${FAR_SECRET}
"""
    )
    environment = {"FAR_SECRET": FAR.secret_key}
    assert configured({"config": str(file)}, environment).s3_target == (FAR,)
    file.write_text(f"s3-target: ['{FAR}']")
    assert configured({"config": str(file)}, {}).s3_target == (FAR,)


@pytest.mark.parametrize(
    "section, said",
    (
        ("{far: {endpoint: 'https://h', bucket: b, access-key: k}}", "must have secret-key"),
        ("{far: {endpoint: h, bucket: b, access-key: k, secret-key: s}}", "http or https URL"),
        ("{far: {endpoint: 'https://h/x', bucket: b, access-key: k, secret-key: s}}", "without a path"),
        ("{far: {endpint: 'https://h'}}", "did you mean endpoint"),
        ("[nonsense]", "allowed is NAME="),
    ),
)
def test_a_target_that_is_not_whole_is_refused_with_its_line(tmp_path: Path, section: str, said: str):
    file = tmp_path / "geckos3.yaml"
    file.write_text(f"s3-target: {section}")
    with pytest.raises(BadSetting, match=said) as refused:
        configured({"config": str(file)}, {})
    assert f"{file}:1" in str(refused.value)
