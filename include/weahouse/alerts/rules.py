"""What raises an alert, read from one versioned file and checked before anything is judged with it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from weahouse.schemas.fields import VARIABLES

DEFAULT_RULES = Path(__file__).with_name("rules.yaml")
# Raised when the code changes what a rule finds, so that alerts from before and after can be told apart.
CODE_VERSION = 1

SEVERITIES = ("minor", "moderate", "severe", "extreme")
STATISTICS = ("value", "mean", "min", "max", "sum")
CHANGES = ("fall", "rise")
SILENCE = "silence"
_ABOVE, _BELOW = {"at_least", "clear_below"}, {"at_most", "clear_above"}
_ALWAYS = {"meaning", "severity", "kind"}
_OF_EACH = {"source", "quiet_min", "gap_min", "regions"}
_OF_VALUES = {"variables"}
# Beside those of every kind: what a kind must have, and what it may have.
_KINDS: dict[str, tuple[set[str], set[str]]] = {
    "threshold": (_OF_VALUES, {"statistic", "over_min"} | _ABOVE | _BELOW),
    "change": (_OF_VALUES | _ABOVE | {"statistic", "over_min"}, set()),
    "duration": (_OF_VALUES | {"for_min"}, {"statistic", "over_min"} | _ABOVE | _BELOW),
    "repetition": (_OF_VALUES | {"times", "within_min"}, {"statistic", "over_min"} | _ABOVE | _BELOW),
    SILENCE: ({"after_min"}, set()),
}
_NUMBERS = (*sorted(_ABOVE | _BELOW), "over_min", "for_min", "within_min", "after_min", "quiet_min", "gap_min", "times")
# A rule reads as far back as its spans reach, at every report.
_LONGEST_MIN = 7 * 24 * 60


class AlertRulesError(ValueError):
    """A rules file that cannot be used; the message names the rule, the entry and what it must be."""


@dataclass(frozen=True)
class Rule:
    """One rule. Limits are in the variable's unit; of a `silence` only `after` and `quiet` mean something."""

    name: str
    version: str
    meaning: str
    source: str
    severity: str
    kind: str
    variables: tuple[str, ...]
    statistic: str
    # 1 where values at or above the limit meet the condition, -1 where those at or below it do.
    direction: int
    limit: float
    clear: float
    over: timedelta
    lasting: timedelta
    times: int
    within: timedelta
    after: timedelta
    gap: timedelta
    quiet: timedelta
    include: tuple[str, ...]
    exclude: tuple[str, ...]

    @property
    def span(self) -> timedelta:
        """How long a report counts: later conditions look back at it for this long."""
        return self.over + max(self.lasting, self.within)

    def applies_to(self, region: str) -> bool:
        """Whether stations of a region are judged."""
        return any(fnmatchcase(region, pattern) for pattern in self.include) and not any(
            fnmatchcase(region, pattern) for pattern in self.exclude
        )


@dataclass(frozen=True)
class AlertRules:
    """All rules of a file, and `version`, a hash of its content and of the code."""

    version: str
    rules: tuple[Rule, ...]

    @property
    def of_values(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.kind != SILENCE)

    def named(self, names: frozenset[str] | None) -> tuple[Rule, ...]:
        """The rules of values with one of the names; all of them for None."""
        return self.of_values if names is None else tuple(rule for rule in self.of_values if rule.name in names)

    @property
    def of_silence(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.kind == SILENCE)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that any rule looks at."""
        wanted = {variable for rule in self.rules for variable in rule.variables}
        return tuple(variable for variable in VARIABLES if variable in wanted)


@cache
def load_alert_rules(path: Path = DEFAULT_RULES) -> AlertRules:
    """The rules of a file; raises AlertRulesError for what is absent, unknown or contradicts itself."""
    try:
        content = path.read_bytes()
        document = yaml.safe_load(content)
    except OSError as error:
        raise AlertRulesError(f"{path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise AlertRulesError(f"{path.name} is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict) or not isinstance(document.get("rules"), dict):
        raise AlertRulesError(f"{path.name}: a section `rules` with one entry for each rule is wanted")
    defaults = document.get("defaults") or {}
    rules = tuple(_Entry(path.name, name, defaults | (entry or {})).rule() for name, entry in document["rules"].items())
    return AlertRules(hashlib.sha256(content + str(CODE_VERSION).encode()).hexdigest()[:12], rules)


@dataclass(frozen=True)
class _Entry:
    """One entry of the file on its way to a rule."""

    file: str
    name: str
    given: dict[str, Any]

    def rule(self) -> Rule:
        self._check_names()
        self._check_values()
        given, direction = self.given, -1 if "at_most" in self.given else 1
        limit = float(given.get("at_least", given.get("at_most", 0.0)))
        clear = float(given.get("clear_below", given.get("clear_above", limit)))
        if direction * clear > direction * limit:
            self._refuse(f"it clears at {clear:g}, which its own limit {limit:g} does not reach: they would take turns")
        regions = given.get("regions") or {}
        return Rule(
            name=self.name,
            version=self._version(),
            meaning=given["meaning"],
            source=given.get("source", ""),
            severity=given["severity"],
            kind=given["kind"],
            variables=tuple(given.get("variables", ())),
            statistic=given.get("statistic", "value"),
            direction=direction,
            limit=limit,
            clear=clear,
            over=self._minutes("over_min"),
            lasting=self._minutes("for_min"),
            times=int(given.get("times", 1)),
            within=self._minutes("within_min"),
            after=self._minutes("after_min"),
            gap=self._minutes("gap_min"),
            quiet=self._minutes("quiet_min"),
            include=tuple(regions.get("include", ("*",))),
            exclude=tuple(regions.get("exclude", ())),
        )

    def _version(self) -> str:
        content = json.dumps(self.given, sort_keys=True) + str(CODE_VERSION)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def _minutes(self, name: str) -> timedelta:
        return timedelta(minutes=self.given.get(name, 0))

    def _check_names(self) -> None:
        names = set(self.given)
        if self.given.get("kind") not in _KINDS:
            self._refuse(f"`kind` must be one of {', '.join(_KINDS)}")
        needed, allowed = _KINDS[self.given["kind"]]
        if missing := sorted((_ALWAYS | needed) - names):
            self._refuse(f"a {self.given['kind']} needs {_listed(missing)}")
        if unknown := sorted(names - _ALWAYS - _OF_EACH - needed - allowed):
            self._refuse(f"a {self.given['kind']} has no {_listed(unknown)}")
        if self.given["kind"] != SILENCE and not (names >= _ABOVE) ^ (names >= _BELOW):
            self._refuse("`at_least` with `clear_below` is wanted, or `at_most` with `clear_above`")

    def _check_values(self) -> None:
        given = self.given
        if given["severity"] not in SEVERITIES:
            self._refuse(f"`severity` must be one of {', '.join(SEVERITIES)}")
        for name in _NUMBERS:
            if name in given and (isinstance(given[name], bool) or not isinstance(given[name], (int, float))):
                self._refuse(f"`{name}` must be a number, not {given[name]!r}")
        for name in (name for name in given if name.endswith("_min")):
            may_be_zero = name in ("quiet_min", "gap_min")
            if not (given[name] > 0 or (may_be_zero and given[name] == 0)) or given[name] > _LONGEST_MIN:
                self._refuse(f"`{name}` must be a number of minutes up to {_LONGEST_MIN}")
        if given["kind"] != SILENCE:
            self._check_statistic()
        if given.get("times", 1) != int(given.get("times", 1)) or given.get("times", 2) < 2:
            self._refuse("`times` must be a whole number of at least 2")
        regions = given.get("regions") or {}
        if not isinstance(regions, dict) or set(regions) - {"include", "exclude"}:
            self._refuse("`regions` has lists `include` and `exclude`, and nothing else")

    def _check_statistic(self) -> None:
        given = self.given
        variables = given["variables"]
        if not isinstance(variables, list) or not variables or set(variables) - set(VARIABLES):
            self._refuse(f"`variables` must list some of {', '.join(VARIABLES)}")
        statistics = CHANGES if given["kind"] == "change" else STATISTICS
        statistic = given.get("statistic", "value")
        if statistic not in statistics:
            self._refuse(f"`statistic` must be one of {', '.join(statistics)}")
        if (statistic == "value") == ("over_min" in given):
            self._refuse(
                "`over_min` says over which time a statistic is taken: a single value has none, others need it"
            )

    def _refuse(self, reason: str) -> None:
        raise AlertRulesError(f"{self.file}: rule {self.name}: {reason}")


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
