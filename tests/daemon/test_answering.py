"""What a process loads: modules are most of a start, and of the memory that is held by doing nothing."""

import subprocess
import sys

import pytest

PARENT = "import gecko_tw.commands, gecko_tw.tap"
WORKER = "import gecko_tw.tap, gecko_tw.daemon.answering"
RARE = ("yaml", "treq", "awscrt", "gecko_tw.bootstrap.applying")
"""What only some deployments need, or only some requests."""


@pytest.fixture(scope="module")
def loaded():
    def names(imports: str) -> frozenset[str]:
        program = f"import sys; {imports}; print(*sys.modules)"
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
        return frozenset(told.stdout.split())

    return {imports: names(imports) for imports in (PARENT, WORKER)}


@pytest.mark.parametrize("imports", [PARENT, WORKER])
@pytest.mark.parametrize("rare", RARE)
def test_what_is_rarely_needed_is_not_loaded_at_the_start(loaded, imports, rare):
    assert rare not in loaded[imports]


@pytest.mark.parametrize(
    "room",
    ["gecko_tw.wire.channel", "gecko_tw.resources.dispatch.families", "gecko_tw.daemon.answering", "twisted.web"],
)
def test_the_parent_of_workers_loads_nothing_that_answers_requests(loaded, room):
    assert room not in loaded[PARENT]


def test_a_worker_has_loaded_all_operations_before_it_is_told_to_serve(loaded):
    assert "gecko_tw.resources.dispatch.families" in loaded[WORKER]


@pytest.mark.parametrize("imports", [PARENT, WORKER])
def test_the_reactor_is_not_made_by_an_import(loaded, imports):
    assert "twisted.internet.reactor" not in loaded[imports]
