"""`python -m benchmarks`: our daemon beside every peer that is there; a table, JSON and a picture."""

import shlex
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from attrs import evolve

from benchmarks.load import wrk_path
from benchmarks.machine import describe
from benchmarks.measuring import Bench
from benchmarks.peers import floors, found_peers, variants
from benchmarks.picture import svg
from benchmarks.report import text
from benchmarks.results import Results, save
from benchmarks.rows.row import Plan
from benchmarks.selection import ROWS, wanted_peers, wanted_rows

_HERE = Path(__file__).parent
_FOLDER = click.Path(file_okay=False, path_type=Path)


def _split_at(separator: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    def words(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
        return [word.strip() for word in value.split(separator) if word.strip()]

    return words


def _show_rows(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        click.echo("\n".join(figure.name for row in ROWS for figure in row.figures))
        context.exit()


@click.command()
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True, help="Rounds of each row.")
@click.option("--seconds", default=3.0, show_default=True, help="Length of a run.")
@click.option(
    "--rows", default="", callback=_split_at(";"), help="Only rows that begin so; several separated by semicolons."
)
@click.option(
    "--peers", default="", callback=_split_at(","), help="Only these, separated by commas; `none` for ours alone."
)
@click.option("--variants/--no-variants", "with_variants", default=True, help="Our daemon also with other settings.")
@click.option("--floor", is_flag=True, help="Also what does the least that our daemon must do (rows of small objects).")
@click.option("--connections", default=16, show_default=True, help="Of rows that do not say how many.")
@click.option("--fill-seconds", default=600.0, show_default=True, help="How long filling a bucket may take.")
@click.option("--quick", is_flag=True, help="One run of a second of each row, large buckets left out.")
@click.option("--profile", type=_FOLDER, default=None, help="Also write flame graphs of our worker into this folder.")
@click.option("--peers-dir", type=_FOLDER, default=_HERE / ".peers", show_default=True)
@click.option("--output", type=_FOLDER, default=_HERE / "results", show_default=True, help="Where JSON and picture go.")
@click.option("--list", is_flag=True, callback=_show_rows, expose_value=False, is_eager=True, help="Show all rows.")
def main(
    rows: list[str],
    peers: list[str],
    with_variants: bool,
    floor: bool,
    quick: bool,
    profile: Path | None,
    output: Path,
    **how: object,
) -> None:
    """Measures GeckoS3 on Twisted beside other servers, on this machine, by turns."""
    # Like control-C, so that the servers are stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    wrk_path()
    plan = Plan(**{**how, **({"runs": 1, "seconds": 1.0} if quick else {})})  # type: ignore[arg-type]
    chosen = wanted_rows(rows, quick, plan.peers_dir)
    ours = [*(variants() if with_variants else variants()[:1]), *(floors() if floor else ())]
    servers = [*ours, *wanted_peers(found_peers(plan.peers_dir), peers)]
    click.echo(f"{len(chosen)} rows, {plan.runs} runs of {plan.seconds:g} s: {', '.join(one.key for one in servers)}")
    output.mkdir(parents=True, exist_ok=True)
    stem = output / datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    with tempfile.TemporaryDirectory(prefix="geckos3-bench-", ignore_cleanup_errors=True) as name:
        results = Results(
            command=_command(),
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            machine=describe(Path(name)),
            settings={"runs": plan.runs, "seconds": plan.seconds, "connections": plan.connections},
            contestants=[one.contestant() for one in servers],
            rows=[],
        )
        for measured in Bench(servers, plan, Path(name), profile, click.echo).measure(chosen):
            # Whoever ends a long benchmark early keeps what there is.
            results = evolve(results, rows=[*results.rows, measured])
            save(results, stem.with_suffix(".json"))
    stem.with_suffix(".svg").write_text(svg(results))
    click.echo("\n" + text(results))
    click.echo(f"{stem}.json and {stem.name}.svg are written")


def _command() -> str:
    """What somebody would type to measure the same."""
    words = shlex.join(sys.argv[1:])
    return f"make bench BENCH={shlex.quote(words)}" if words else "make bench"


if __name__ == "__main__":
    main()
