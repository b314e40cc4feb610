"""The floors of the house: imports point down, and what may be done only in one place is done only there."""

import ast
import sys
from graphlib import TopologicalSorter

import pytest

from tests.sources import PACKAGE, Source, functions, graph, imports, sources

RESOURCES = f"{PACKAGE}.resources"

FLOORS = (
    (f"{PACKAGE}.testing",),
    ("twisted.plugins", f"{PACKAGE}.commands"),
    (f"{PACKAGE}.tap",),
    (f"{PACKAGE}.client",),
    (f"{PACKAGE}.bootstrap",),
    (f"{PACKAGE}.daemon",),
    (f"{PACKAGE}.plugins", f"{PACKAGE}.dropins"),
    (f"{PACKAGE}.admin",),
    (f"{PACKAGE}.native.server",),
    (f"{PACKAGE}.native",),
    (f"{PACKAGE}.wire",),
    (f"{RESOURCES}.dispatch",),
    (f"{RESOURCES}.pipeline",),
    (f"{RESOURCES}.families",),
    (f"{RESOURCES}.bodies",),
    (f"{RESOURCES}.answers",),
    (f"{RESOURCES}.gates",),
    (f"{RESOURCES}.access_logs",),
    (f"{RESOURCES}.headers",),
    (f"{RESOURCES}.answers.answer", f"{RESOURCES}.bodies.claims"),
    (f"{RESOURCES}.headers.objects",),
    (f"{RESOURCES}.documents",),
    (f"{RESOURCES}.call", f"{RESOURCES}.gates.access_settings"),
    (f"{RESOURCES}.service",),
    (
        f"{RESOURCES}.access_logs.entries",
        f"{RESOURCES}.answers.head_cache",
        f"{RESOURCES}.bodies.buffers",
        f"{RESOURCES}.bodies.unauthenticated",
        f"{RESOURCES}.dispatch.operations",
        f"{RESOURCES}.dispatch.readiness",
        f"{RESOURCES}.gates.logins",
        f"{RESOURCES}.gates.rate_limits",
    ),
    (
        f"{RESOURCES}.answers.refusals",
        f"{RESOURCES}.dispatch.keys",
        f"{RESOURCES}.dispatch.subresources",
        f"{RESOURCES}.headers.encoded_words",
    ),
    (RESOURCES,),
    (f"{PACKAGE}.jobs", f"{PACKAGE}.callers", f"{PACKAGE}.metrics"),
    (f"{PACKAGE}.callers.accounts",),
    (f"{PACKAGE}.callers.signatures.v4", f"{PACKAGE}.callers.signatures.payloads", f"{PACKAGE}.callers.access"),
    (f"{PACKAGE}.callers.refusals", f"{PACKAGE}.callers.budgets"),
    (f"{PACKAGE}.store",),
    (f"{PACKAGE}.store.rules", f"{PACKAGE}.store.drivers"),
    (f"{PACKAGE}.store.verifying", f"{PACKAGE}.store.drivers.interfaces"),
    (f"{PACKAGE}.store.encryption.format",),
    (f"{PACKAGE}.store.requests", f"{PACKAGE}.store.checksums", f"{PACKAGE}.store.version_ids"),
    (f"{PACKAGE}.store.refusals",),
    (f"{PACKAGE}.store.records", f"{PACKAGE}.store.bucket_names"),
    (f"{PACKAGE}.wire.interfaces",),
    (f"{PACKAGE}.pools", f"{PACKAGE}.settings"),
    (f"{PACKAGE}.wire.head",),
    (PACKAGE,),
)
"""From the roof down. A module lives in the most exact room that holds it."""

LAZY = {
    f"{PACKAGE}.tap": "parts are imported by the factory that needs them, and the reactor only by makeService",
    f"{PACKAGE}.commands": "a command imports what it runs, so that `--help` is quick",
    f"{PACKAGE}.testing": "pytest imports its plugins in every project: what a fixture needs is imported when a test asks for it",
    f"{PACKAGE}.admin.schemas": "a library that takes a tenth of a second, which only the first question to the admin API needs",
    f"{PACKAGE}.daemon.answering": "the binary protocol, which few deployments have switched on",
    f"{PACKAGE}.daemon.admin_factory": "all verbs of the admin API, which only operators ask, or nobody",
    f"{PACKAGE}.admin.minio.messages": "argon2-cffi, which only who asks as `mc admin` needs",
    f"{PACKAGE}.admin.minio.metrics": "PyJWT and the library of metrics, which only a scrape needs",
    f"{PACKAGE}.admin.metering": "the library of metrics takes a fifth of a second, which only a scrape needs",
    f"{PACKAGE}.callers.signatures.web_identity": "few deployments have identity providers: no other one pays for PyJWT",
    f"{PACKAGE}.daemon.issuers": "an HTTP client, which no other one needs either",
    f"{PACKAGE}.daemon.data_dir": "few deployments have drivers of dropins",
    f"{PACKAGE}.daemon.https": "few deployments ask an authority for certificates: no other one needs certbot's library",
    f"{PACKAGE}.daemon.deployment": "a process imports what it does: the parent of workers answers nothing, few have webhooks",
    f"{PACKAGE}.client.connecting": "a program may install a reactor of its own before it connects",
    f"{PACKAGE}.store.checksums": "awscrt takes a tenth of the start, and only some digests need it",
}
"""Where imports inside functions are allowed, and why."""

CIRCLES = (
    ({"store.copying", "store.objects"}, "a copy is a method of Objects that is written in a file of its own"),
    (
        {f"wire.{name}" for name in "buffered channel download output closing request site upload".split()},
        "a connection is one object in several files",
    ),
    ({f"native.server.{name}" for name in "channel request site".split()}, "as over HTTP"),
)
"""Modules that import each other, if only for type checkers, and why."""

PILLARS = {"client": {"pools"}, "wire": {"pools"}, "store": set()}
"""Rooms that stand on the ground, and what else they may know."""

BANNED = {"handler", "manager", "processor", "engine", "helper", "util", "common", "base", "misc"}

OWN_THREADS = {"deferToThread", "callInThread", "callMultipleInThread", "getThreadPool"}
"""Names that lead to the reactor's own pool of threads."""


def room_of(name: str) -> tuple[int, str] | None:
    """The number of the floor, counted from the roof, and the room."""
    rooms = [(len(room), number, room) for number, floor in enumerate(FLOORS) for room in floor]
    held = [entry for entry in rooms if name == entry[2] or name.startswith(entry[2] + ".")]
    return max(held)[1:] if held else None


def allowed_lazily(source: Source) -> bool:
    return any(source.within(room) for room in LAZY)


def test_every_module_has_a_floor():
    nowhere = [
        source.name
        for source in sources()
        if (room := room_of(source.name)) is None or (room[1] == PACKAGE and source.name != PACKAGE)
    ]
    assert not nowhere


def test_imports_only_point_down():
    wrong = []
    for found in imports():
        here, there = room_of(found.source.name), room_of(found.target)
        if here is None or there is None or here[1] == there[1]:
            continue
        if there[0] <= here[0] and found.target != f"{PACKAGE}.__version__":
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def _known(here: str, there: str) -> bool:
    return any({here, there} <= {f"{PACKAGE}.{name}" for name in circle} for circle, _why in CIRCLES)


def test_no_modules_import_each_other():
    unknown = {here: {there for there in below if not _known(here, there)} for here, below in graph().items()}
    TopologicalSorter(unknown).prepare()


@pytest.mark.parametrize("circle", [circle for circle, _why in CIRCLES], ids=min)
def test_every_circle_that_is_known_is_still_one(circle):
    below, known = graph(), {f"{PACKAGE}.{name}" for name in circle}
    # Who imports nobody else of it, or is imported by nobody else of it, is not part of it any more.
    assert all(below[name] & known for name in known)
    assert known <= set().union(*(below[name] for name in known))


def test_no_family_imports_a_family():
    families = f"{RESOURCES}.families"
    between = [found for found in imports() if found.source.within(families) and found.target.startswith(families)]
    assert not [str(found) for found in between]


@pytest.mark.parametrize("pillar", sorted(PILLARS))
def test_the_pillars_know_nothing_of_each_other_nor_of_who_stands_on_them(pillar):
    own = tuple(f"{PACKAGE}.{room}." for room in {pillar} | PILLARS[pillar])
    found = [one for one in imports() if one.source.within(f"{PACKAGE}.{pillar}")]
    assert not [str(one) for one in found if one.target.startswith(PACKAGE) and not one.target.startswith(own)]


def test_nobody_imports_the_client_which_needs_an_extra():
    assert not [
        str(one) for one in imports() if _is_of_the_client(one.target) and not _is_of_the_client(one.source.name)
    ]


def _is_of_the_client(name: str) -> bool:
    return f"{name}.".startswith(f"{PACKAGE}.client.")


def test_botocore_is_known_to_the_client_and_where_bytes_and_backups_go_to_another_s3():
    found = [one for one in imports() if one.target.split(".")[0] == "botocore"]
    assert found
    there = {f"{PACKAGE}.store.backup.s3", f"{PACKAGE}.store.drivers.postgresql.s3"}
    assert not [str(one) for one in found if not _is_of_the_client(one.source.name) and one.source.name not in there]


def test_imports_are_absolute():
    assert not [str(found) for found in imports() if found.target.startswith(".")]


@pytest.mark.parametrize("room", ["callers", "store", "wire.head"])
def test_twisted_is_unknown_below_the_resources(room):
    below = [found for found in imports() if found.source.within(f"{PACKAGE}.{room}")]
    assert not [str(found) for found in below if found.target.split(".")[0] in {"twisted", "treq"}]


@pytest.mark.parametrize("room", ["store", "callers"])
def test_http_is_unknown_below_the_resources(room):
    below = [found for found in imports() if found.source.within(f"{PACKAGE}.{room}")]
    assert not [str(found) for found in below if found.target.split(".")[0] in {"http", "httptools", "urllib3"}]


def test_only_tap_and_the_client_import_the_reactor_and_only_inside_functions():
    found = [one for one in imports() if one.target.startswith("twisted.internet.reactor")]
    allowed = {f"{PACKAGE}.tap", f"{PACKAGE}.client.connecting"}
    assert not [str(one) for one in found if one.source.name not in allowed or one.inside is None]


def test_imports_inside_functions_are_only_where_laziness_is_wanted():
    assert not [str(found) for found in imports() if found.inside and not allowed_lazily(found.source)]


def test_every_exception_from_the_rule_about_lazy_imports_is_still_needed():
    lazy = [found.source for found in imports() if found.inside]
    present = [room for room in LAZY if any(source.within(room) for source in sources())]
    assert not [room for room in present if not any(source.within(room) for source in lazy)]


def _catches(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {kind.id for kind in kinds if isinstance(kind, ast.Name)}


def test_except_exception_exists_once_and_in_the_pipeline():
    places = [
        source.name
        for source in sources()
        for node in source.nodes
        if isinstance(node, ast.ExceptHandler) and "Exception" in _catches(node)
    ]
    assert places == [f"{PACKAGE}.resources.pipeline"]


HANDING_ON = {f"{PACKAGE}.{room}" for room in ("pools", "wire.request", "store.drivers.sqlite.commits")}


def test_whoever_catches_everything_raises_it_again():
    # A pool's thread cannot raise to who waits in the reactor, nor a request to its connection, nor who leads a group of commits to the
    # other threads: they hand on what was raised.
    wrong = [
        f"{source.name}:{node.lineno}"
        for source in sources()
        if source.name not in HANDING_ON
        for node in source.nodes
        if isinstance(node, ast.ExceptHandler) and "BaseException" in _catches(node)
        if not isinstance(node.body[-1], ast.Raise)
    ]
    assert not wrong


def _names(source: Source) -> list[tuple[str, int]]:
    named = [(node.id, node.lineno) for node in source.nodes if isinstance(node, ast.Name)]
    return named + [(node.attr, node.lineno) for node in source.nodes if isinstance(node, ast.Attribute)]


def test_nobody_uses_the_threads_of_the_reactor():
    assert not [f"{s.name}:{line} {name}" for s in sources() for name, line in _names(s) if name in OWN_THREADS]


def test_coroutines_become_deferreds_only_in_the_pipeline_in_the_life_of_a_process_and_in_the_client():
    bridges = {s.name for s in sources() for name, _line in _names(s) if name in {"fromCoroutine", "ensureDeferred"}}
    assert bridges <= {
        f"{PACKAGE}.{room}"
        for room in (
            "resources.pipeline",
            "client.pausing",
            "jobs.notifications",
            "daemon.main_process",
            "daemon.noticing",
            "daemon.workers",
            "tap",
        )
    }


def test_nothing_is_printed_but_by_commands():
    printing = {source.name for source in sources() for name, _line in _names(source) if name == "print"}
    assert not [name for name in printing if not name.startswith(f"{PACKAGE}.commands")]


def test_no_room_is_named_after_nothing():
    names = {part for source in sources() for part in source.name.split(".")}
    assert not names & (BANNED | {name + "s" for name in BANNED})


def test_no_package_is_named_like_one_of_the_standard_library():
    own = {source.path.parent.name for source in sources() if source.within(PACKAGE)}
    assert not own & sys.stdlib_module_names


def test_every_module_says_its_place_in_the_story():
    silent = [source.name for source in sources() if source.text.strip() and not ast.get_docstring(source.tree)]
    assert not silent


def test_defaults_are_never_changeable():
    changeable = [
        f"{source.name}:{default.lineno}"
        for source in sources()
        for function in functions(source)
        for default in [*function.args.defaults, *function.args.kw_defaults]
        if isinstance(default, ast.List | ast.Dict | ast.Set)
    ]
    assert not changeable
