"""The `weahouse` command."""

from __future__ import annotations

import sys

import typer

from weahouse.cli import alerts, backfill, dags, doctor, explain, feeds, lake, platform, proofs, qc, reads, stream
from weahouse.cli.errors import UserError, print_error
from weahouse.settings import SettingsError

app = typer.Typer(
    name="weahouse",
    help="Run and question a WeaHouse instance. `up` starts it, `status` tells how it is, `latest` shows the weather.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for module in (platform, stream, feeds, reads, lake, backfill, alerts, explain, proofs, qc, dags, doctor):
    module.register(app)


def main() -> None:
    """Run the command line; every foreseen error is one sentence on stderr and exit code 1."""
    try:
        app()
    except (UserError, SettingsError) as error:
        print_error(str(error))
        sys.exit(1)
