"""The ``geckos3`` command: serve in the foreground, look after a data directory, ask a running daemon for its health."""

import click

from gecko_tw import __version__
from gecko_tw.commands import (
    allowances,
    backups,
    checks,
    config,
    documentation,
    files,
    identity_groups,
    integrity,
    move,
    policy,
    serve,
)
from gecko_tw.commands.asking import asking
from gecko_tw.commands.over_data import over_data
from gecko_tw.commands.telling import Group

_HELP = ("-h", "-help", "--help")


class _Main(Group):
    """GeckoS3's own command lines work: it has no commands, and flags alone serve."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any(argument in ("-version", "--version") for argument in args) and args[0].startswith("-"):
            args = ["--version"]
        elif not args or (args[0].startswith("-") and args[0] not in _HELP):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Main, context_settings={"help_option_names": list(_HELP), "max_content_width": 120})
@click.version_option(__version__, prog_name="geckos3", message="%(prog)s %(version)s")
def main() -> None:
    """GeckoS3 on Twisted: a self-hosted, S3-compatible object store.

    Without a command it serves: `geckos3 -auth=false` is `geckos3 serve --auth=false`.
    """


COMMANDS = (
    serve.serve_command,
    files.adopt,
    files.rebuild,
    checks.fsck,
    move.move,
    checks.healthcheck,
    integrity.scrub,
    integrity.quarantine,
    backups.backup,
    backups.restore,
    backups.snapshots,
    allowances.quota,
    allowances.limits,
    policy.policy,
    documentation.operations,
    documentation.docs,
    config.config,
    *identity_groups.groups(asking, over_data),
)

for _command in COMMANDS:
    main.add_command(_command)
