"""What a person asks of a training, checked before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.schemas.gold import MODEL_KINDS, MODEL_TARGETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LISTS = {"kinds": MODEL_KINDS, "targets": MODEL_TARGETS}


class TrainingRequestError(ValueError):
    """A request that cannot be meant; one sentence that says what to write."""


def checked(params: Mapping[str, Any]) -> dict[str, str]:
    """The options of `train_models` from the parameters of a run; raises TrainingRequestError."""
    lists = {name: _named(name, params[name] or [], known) for name, known in _LISTS.items()}
    for name in ("without_champion", "require_approval"):
        if not isinstance(params[name], bool):
            raise TrainingRequestError(f"{name} is {params[name]!r}: write true or false")
    return lists | {"without-champion": str(params["without_champion"]).lower()}


def _named(name: str, asked: Sequence[str], known: Sequence[str]) -> str:
    """A list as an option, each of it once."""
    unknown = [one for one in asked if one not in known]
    if unknown or not asked:
        told = f"has {unknown[0]!r}" if unknown else "is empty"
        raise TrainingRequestError(f"{name} {told}: name one or more of {', '.join(known)}")
    return ",".join(dict.fromkeys(asked))
