"""What a person asks of a training, checked before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.schemas.gold import MODEL_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping


class TrainingRequestError(ValueError):
    """A request that cannot be meant; one sentence that says what to write."""


def checked(params: Mapping[str, Any]) -> dict[str, str]:
    """The options of `train_models` from the parameters of a run; raises TrainingRequestError."""
    kinds = params["kinds"] or []
    unknown = [kind for kind in kinds if kind not in MODEL_KINDS]
    if unknown or not kinds:
        told = f"has {unknown[0]!r}" if unknown else "is empty"
        raise TrainingRequestError(f"kinds {told}: name one or more of {', '.join(MODEL_KINDS)}")
    for name in ("without_champion", "require_approval"):
        if not isinstance(params[name], bool):
            raise TrainingRequestError(f"{name} is {params[name]!r}: write true or false")
    return {"kinds": ",".join(dict.fromkeys(kinds)), "without-champion": str(params["without_champion"]).lower()}
