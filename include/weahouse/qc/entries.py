"""Entries of a rules file, each read with its place: every error names the file, the entry and what it must be."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable


class RulesError(ValueError):
    """A rules file that cannot be used; the message names the file, the entry and what it must be."""


class Place(NamedTuple):
    """Where an entry stands, as errors tell it."""

    file: str
    keys: tuple[str, ...] = ()

    def __truediv__(self, key: object) -> Place:
        return Place(self.file, (*self.keys, str(key)))

    def error(self, message: str) -> RulesError:
        return RulesError(f"{self.file}: {'.'.join(self.keys) or 'the file'} {message}")


class Bounds(NamedTuple):
    """What a number must be besides above 0."""

    most: float = inf
    least: float = 0.0
    is_whole: bool = False

    def __str__(self) -> str:
        kind = "a whole number, " if self.is_whole else ""
        low = f"at least {self.least:g}" if self.least else "above 0"
        return kind + low + (f" and at most {self.most:g}" if isfinite(self.most) else "")

    def admit(self, value: float) -> bool:
        return value > 0 and self.least <= value <= self.most and not (self.is_whole and value != int(value))


class _Loader(yaml.SafeLoader):
    """YAML that refuses one key given twice, of which the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: list[str] = []
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} is given twice", problem_mark=key.start_mark)
            seen.append(key.value)
        return super().construct_mapping(node, deep)


def loaded(place: Place, content: bytes) -> Any:
    """What a file's YAML says."""
    try:
        return yaml.load(content, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise place.error(f"cannot be read as YAML: line {line}: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise place.error("cannot be read as YAML: it holds characters that no text has") from None


def mapping(
    place: Place, value: Any, allowed: Collection[str] | None, required: Collection[str] = ()
) -> dict[str, Any]:
    """Named entries, of which no unknown one and every required one is there."""
    if not isinstance(value, dict):
        raise place.error(f"must hold named entries, not {value!r}")
    for key in value:
        if not isinstance(key, str):
            # YAML reads `no`, which is Norway, as false, and `100:20` as a number.
            raise place.error(f"has the name {key!r}, which is no text: write it in quotes")
        if allowed is not None and key not in allowed:
            raise place.error(f"has an unknown entry {key!r}: it may have {', '.join(allowed)}")
    absent = [name for name in required if name not in value]
    if absent:
        raise place.error(f"lacks {', '.join(absent)}")
    return value


def number(place: Place, value: Any) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise place.error(f"must be a number, not {value!r}")
    return float(value)


def bounded(place: Place, value: Any, bounds: Bounds) -> float:
    """A number within bounds."""
    found = number(place, value)
    if not bounds.admit(found):
        raise place.error(f"must be {bounds}, not {found:g}")
    return found


def span(pair: tuple[float | None, float | None]) -> str:
    """A pair of limits as errors tell it."""
    return f"{pair[0]:g} .. {pair[1]:g}"
