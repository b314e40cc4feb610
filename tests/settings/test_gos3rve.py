"""The XML file of gos3rve."""

import pytest

from gecko_tw.settings import BadSetting
from gecko_tw.settings.sources import read_settings
from tests.bootstrap.writing import document

WHOLE = """<?xml version="1.0" encoding="UTF-8"?>
<root>
  <!-- moved here -->
  <BucketsPath>/srv/buckets</BucketsPath>
  <UploadsPath>/srv/uploads</UploadsPath>
  <Port>8080</Port>
  <AccessKeyId>somebody</AccessKeyId>
  <SecretAccessKey>a${HOME}$$b&amp;c</SecretAccessKey>
  <Region>eu-west-1</Region>
</root>
"""


def test_gos3rves_elements_become_our_settings(tmp_path):
    found = document(tmp_path, WHOLE)
    settings = read_settings({}, {}, found.settings)
    assert (str(settings.data_dir), settings.listen, settings.region) == ("/srv/buckets", (":8080",), "eu-west-1")
    assert (settings.access_key, settings.secret_key) == ("somebody", "a${HOME}$$b&c")
    assert [remark.split(": ")[1] for remark in found.remarks] == ["UploadsPath"]


def test_flags_win_however_they_are_written(tmp_path):
    settings = read_settings({"listen": [":9"]}, {"GECKOS3_REGION": "us"}, document(tmp_path, WHOLE).settings)
    assert (settings.listen, settings.region) == ((":9",), "us")


def test_empty_elements_count_as_absent(tmp_path):
    assert not document(tmp_path, "<root><Port/><Region> </Region></root>").settings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<root>\n<Prot>1</Prot></root>", r":2: Prot: unknown element; allowed are BucketsPath"),
        ("<root><Port>http</Port></root>", r":1: Port: must be a port's number"),
        ("<root><Port>70000</Port></root>", r":1: Port: must be a port's number"),
        ("<root><Port>1</Port><Port>2</Port></root>", r":1: Port: must be there once"),
        ("<root><Region><b/></Region></root>", r":1: Region: must be there once, and hold a text only"),
        ("<config/>", r":1: the root element of an XML file must be `root`"),
        ("<root", r":1: is no well-formed XML"),
        ('<!DOCTYPE root [<!ENTITY a "b">]><root><Region>&a;</Region></root>', r":1: the root element"),
    ],
)
def test_anything_else_is_refused_with_its_place(tmp_path, text, told):
    with pytest.raises(BadSetting, match=told):
        document(tmp_path, text)
