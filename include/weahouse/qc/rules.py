"""The thresholds of quality control, read from one versioned file and checked before anything is judged with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from weahouse.schemas.fields import VARIABLES

DEFAULT_RULES = Path(__file__).with_name("rules.yaml")
# Raised when the tests' code changes what they find, so that rows judged before and after can be told apart.
CODE_VERSION = 1


class RulesError(ValueError):
    """A rules file that cannot be used; the message names the entry and what it must be."""


@dataclass(frozen=True)
class Range:
    """Limits in the variable's unit: outside `suspect` is 3, outside `bad` is 4."""

    suspect: tuple[float, float]
    bad: tuple[float, float]


@dataclass(frozen=True)
class Rules:
    """All thresholds, and `version`, a hash of their file and of the tests' code."""

    version: str
    ranges: dict[str, Range]
    missing: dict[str, tuple[float, ...]]
    humidity_tolerance_pct: float


@cache
def load_rules(path: Path = DEFAULT_RULES) -> Rules:
    """The rules of a file; raises RulesError when an entry is absent, unknown or contradicts itself."""
    content = path.read_bytes()
    document = yaml.safe_load(content)
    for section in ("range", "missing"):
        _check_variables(path, section, document.get(section))
    return Rules(
        version=hashlib.sha256(content + str(CODE_VERSION).encode()).hexdigest()[:12],
        ranges={name: _range(path, name, entry) for name, entry in document["range"].items()},
        missing={name: tuple(float(number) for number in numbers) for name, numbers in document["missing"].items()},
        humidity_tolerance_pct=float(document["consistency"]["humidity_tolerance_pct"]),
    )


def _check_variables(path: Path, section: str, entries: Any) -> None:
    names = set(entries or {})
    if names != set(VARIABLES):
        different = ", ".join(sorted(names ^ set(VARIABLES)))
        raise RulesError(f"{path.name}: section {section!r} must list each measurement once; look at: {different}")


def _range(path: Path, name: str, entry: dict[str, list[float]]) -> Range:
    suspect, bad = (tuple(float(limit) for limit in entry[kind]) for kind in ("suspect", "bad"))
    if not bad[0] <= suspect[0] < suspect[1] <= bad[1]:
        raise RulesError(f"{path.name}: range of {name}: suspect {suspect} must lie within bad {bad}, low before high")
    return Range((suspect[0], suspect[1]), (bad[0], bad[1]))
