"""``geckos3 serve``."""

import gc

import click

from gecko_tw.commands.options import Command, with_settings
from gecko_tw.settings import Settings


@click.command(cls=Command, name="serve")
@with_settings(telling=False)
def serve_command(settings: Settings) -> int:
    """Serve in the foreground until SIGTERM; the same as `twistd -n geckos3`."""
    gc.disable()  # as in a worker: until all is imported
    from gecko_tw import tap

    return tap.serve(settings)
