"""`python -m benchmarks.report RESULTS PAGE`: the tables of a page of the documentation, and its picture, made anew from results."""

from html import escape
from pathlib import Path

import click

from benchmarks.picture import svg
from benchmarks.results import Results, load
from benchmarks.table import circumstances, contestants_table, figures_table, latencies_table, notes, processor_table
from gecko_tw.commands.tables import with_table

MARK = "benchmark"


def text(results: Results) -> str:
    """All tables for a terminal."""
    parts = [circumstances(results) + "\n", figures_table(results).text(), latencies_table(results).text()]
    parts.append(processor_table(results).text())
    parts.append("".join(f"{note}\n" for note in notes(results)))
    return "\n".join(part for part in parts if part)


def markdown(results: Results, picture: str) -> str:
    """All tables for a page.

    :param picture: its name beside the page.
    """
    missing = "".join(f"- {escape(note, quote=False)}\n" for note in notes(results))
    return (
        f"{circumstances(results)}\n\n    {results.command}\n\n"
        f"{figures_table(results).markdown()}\n![The same as a picture]({picture})\n\n"
        f"{latencies_table(results).markdown()}\n{processor_table(results).markdown()}\n{contestants_table(results).markdown()}"
        + (f"\nMissing or marked:\n\n{missing}" if missing else "")
    )


def update(results: Results, page: Path, mark: str = MARK) -> None:
    """Puts tables between two marks of the page and the picture, which the mark names, beside the page."""
    picture = page.with_name(f"{page.stem}-{mark}.svg")
    page.write_text(with_table(page.read_text(), mark, markdown(results, picture.name)))
    picture.write_text(svg(results))


@click.command()
@click.argument("results", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--mark", default=MARK, show_default=True, help="The name between the page's marks.")
def main(results: Path, page: Path | None, mark: str) -> None:
    """Prints the tables of RESULTS (JSON), or puts them into PAGE."""
    found = load(results)
    if page is None:
        click.echo(text(found), nl=False)
    else:
        update(found, page, mark)


if __name__ == "__main__":
    main()
