"""The page docs/testing.md: its examples run, its documents can be read."""

import re
import subprocess
import sys

import pytest
import yaml

from tests.patience import PATIENCE
from tests.sources import ROOT

PAGE = (ROOT / "docs/testing.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- runs: (\w+) -->\n```python\n(.*?)```", PAGE, re.DOTALL))
RUNNERS = {
    "pytest": ["pytest", "-q", "-p", "no:cacheprovider"],
    "unittest": ["unittest", "-v"],
    "trial": ["twisted.trial"],
}


@pytest.mark.parametrize(("runner", "said"), [("pytest", "3 passed"), ("unittest", "OK"), ("trial", "PASSED")])
def test_an_example_runs_as_it_is_shown(tmp_path, runner, said):
    (tmp_path / "test_example.py").write_text(EXAMPLES[runner])
    what = "test_example.py" if runner == "pytest" else "test_example"
    ran = subprocess.run(
        [sys.executable, "-m", *RUNNERS[runner], what], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert said in ran.stdout + ran.stderr


def test_documents_can_be_read():
    documents = [yaml.safe_load(text) for text in re.findall(r"<!-- yaml -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)]
    assert [sorted(document) for document in documents] == [["services"], ["jobs"]]
