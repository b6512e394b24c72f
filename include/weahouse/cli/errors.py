"""How the command line says that something went wrong."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape


class UserError(Exception):
    """Something the user can act on: one sentence that names the input and what to do."""


def print_error(message: str) -> None:
    Console(stderr=True).print(f"[bold red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)
