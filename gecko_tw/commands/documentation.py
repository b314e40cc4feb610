"""``geckos3 operations`` and ``geckos3 docs``: tables made from what the program runs on."""

from pathlib import Path
from typing import Any

import click

from gecko_tw.commands.telling import as_json, tell
from gecko_tw.settings import BadSetting


@click.command()
@as_json
def operations() -> None:
    """Print every operation this deployment answers."""
    from gecko_tw.commands.tables import operations_told

    tell(operations_told(_table()))


@click.command(hidden=True)
@click.argument("readme", type=click.Path(path_type=Path))
@click.argument("page", type=click.Path(path_type=Path))
@click.argument("admin", type=click.Path(path_type=Path))
@click.argument("minio", type=click.Path(path_type=Path))
def docs(readme: Path, page: Path, admin: Path, minio: Path) -> None:
    """Write the tables of the documentation anew: settings in the README, operations and rows of the admin API and of MinIO's in their
    pages."""
    from gecko_tw.admin.minio.table import MINIO_ROWS
    from gecko_tw.admin.table import ROWS
    from gecko_tw.commands.tables import (
        admin_markdown,
        minio_markdown,
        operations_markdown,
        settings_markdown,
        with_table,
    )

    readme.write_text(with_table(readme.read_text(), "settings", settings_markdown()))
    page.write_text(with_table(page.read_text(), "operations", operations_markdown(_table())))
    admin.write_text(with_table(admin.read_text(), "rows", admin_markdown(ROWS.rows)))
    minio.write_text(with_table(minio.read_text(), "minio", minio_markdown(MINIO_ROWS.rows)))


def _table() -> Any:
    from gecko_tw.daemon.deployment import check_dropins, operation_table

    try:
        check_dropins()
        return operation_table()
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None
