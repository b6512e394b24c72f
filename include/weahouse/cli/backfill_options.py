"""The options of `weahouse backfill`, made of what the Dags' forms ask: each is said once."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weahouse.orchestration.backfill_kinds import DRY_RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from weahouse.orchestration.backfill_kinds import Asked, Kind


def command_of(kind: Kind, act: Callable[..., None], more: dict[str, Any]) -> Callable[..., None]:
    """A function for Typer whose options are what a kind's Dag asks for, in its form's words, and `more`.

    It calls `act` with the kind, the parameters, those that were left out as in the form, and what `more` has named.
    """

    def command(**given: Any) -> None:
        params = {name: given.pop(name) or asked.default for name, asked in asks.items()}
        act(kind, params, **given)

    asks = {name: asked for name, asked in kind.asks.items() if name != DRY_RUN}
    options = [_option(name, asked) for name, asked in asks.items()]
    flags = [_parameter(name, annotation, False) for name, annotation in more.items()]
    command.__signature__ = inspect.Signature([*options, *flags])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in (*options, *flags)}
    return command


def _option(name: str, asked: Asked) -> inspect.Parameter:
    is_list = "array" in asked.schema["type"]
    is_time = asked.schema.get("format") == "date-time"
    choices = asked.schema.get("enum") or asked.schema.get("items", {}).get("enum")
    told = [
        f"{asked.title}.",
        asked.description,
        *([f"Any of {', '.join(choices)}; all unless told."] if choices and is_list else []),
        *([f"One of {', '.join(choices)}; {asked.default} unless told."] if choices and not is_list else []),
        *(["May be given again."] if is_list else []),
        *(["With a zone, like 2024-05-01T12:00:00Z."] if is_time else []),
    ]
    option = typer.Option(f"--{name.replace('_', '-')}", help=" ".join(told), metavar="TIME" if is_time else None)
    kind: Any = list[str] if is_list else str
    if asked.is_required:
        return _parameter(name, Annotated[kind, option])
    return _parameter(name, Annotated[kind | None, option], None)


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
