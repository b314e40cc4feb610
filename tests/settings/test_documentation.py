"""The example of the documentation is a file that works, and names everything that a file may."""

import re

from gecko_tw.bootstrap import buckets, shapes
from gecko_tw.bootstrap.applying import apply
from gecko_tw.settings.reading import SECTIONS
from tests.bootstrap.writing import declarations, deployment, document
from tests.sources import ROOT

PAGE = (ROOT / "docs/configuration.md").read_text()
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SECRETS = {"ROOT_SECRET": "one", "MEDIA_SECRET": "two", "ALICE_SECRET": "three"}


def test_the_example_is_applied_and_then_there(tmp_path):
    there = deployment()
    declared = declarations(tmp_path, EXAMPLE, **SECRETS)
    assert len(apply(declared, there)) == sum(declared.counts().values())
    assert apply(declared, there) == []


def test_the_example_has_every_section_and_every_key_of_a_bucket(tmp_path):
    found = document(tmp_path, EXAMPLE, **SECRETS)
    assert found.sections.keys() == set(SECTIONS)
    said = {key for one in found.sections["buckets"].named().values() for key in one.named()}
    assert said == set(buckets.KEYS)


def test_structures_are_spelled_as_the_aws_tools_spell_them():
    from botocore.session import get_session

    model = get_session().get_service_model("s3")
    for name, shape in (
        ("CORSConfiguration", shapes.CORS),
        ("BucketLifecycleConfiguration", shapes.LIFECYCLE),
        ("ServerSideEncryptionConfiguration", shapes.ENCRYPTION),
        ("PublicAccessBlockConfiguration", shapes.PUBLIC_ACCESS_BLOCK),
        ("WebsiteConfiguration", shapes.WEBSITE),
    ):
        _agree(shape, model.shape_for(name))


def _agree(shape, theirs):
    if shape is None:
        assert theirs.type_name not in ("structure", "list", "map"), theirs
    elif isinstance(shape, shapes.Each):
        element = (
            theirs.serialization.get("name")
            if theirs.serialization.get("flattened")
            else theirs.member.serialization.get("name")
        )
        assert theirs.type_name == "list"
        assert bool(theirs.serialization.get("flattened")) is not shape.wrapped, theirs
        assert element in (shape.name, None), theirs
        _agree(shape.shape, theirs.member)
    else:
        assert theirs.type_name == "structure"
        assert shape.keys() <= theirs.members.keys(), theirs
        for name, inner in shape.items():
            _agree(inner, theirs.members[name])
