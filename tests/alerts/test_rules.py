from __future__ import annotations

from pathlib import Path

import pytest
from tests.alerts.rows import rules

from weahouse.alerts.rules import DEFAULT_RULES, AlertRulesError, load_alert_rules

DEFAULTS = {rule.name: rule for rule in load_alert_rules().rules}


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = DEFAULT_RULES.read_text()
    assert old in text
    copy = tmp_path / "rules.yaml"
    copy.write_text(text.replace(old, new, 1))
    return copy


@pytest.mark.parametrize(
    ("rule", "limit"),
    [("gale", 17.2), ("storm", 24.5), ("heat", 35.0), ("heavy_rain", 15.0), ("rapid_pressure_fall", 6.1)],
)
def test_the_defaults_are_the_published_limits(rule: str, limit: float):
    assert DEFAULTS[rule].limit == limit


def test_each_default_names_its_source_and_clears_where_it_cannot_flutter():
    for rule in DEFAULTS.values():
        assert rule.source
        assert rule.kind == "silence" or rule.direction * rule.clear < rule.direction * rule.limit


def test_a_rule_has_another_version_when_it_changes_and_the_others_keep_theirs(tmp_path: Path):
    other = load_alert_rules(changed(tmp_path, "at_least: 17.2", "at_least: 17.5"))
    versions = {rule.name: rule.version for rule in other.rules}
    assert other.version != load_alert_rules().version
    assert {name for name, rule in DEFAULTS.items() if versions[name] != rule.version} == {"gale"}


def test_regions_are_included_and_excluded_by_patterns():
    [rule] = rules(a={"regions": {"include": ["us-*"], "exclude": ["us-ca"]}}).rules
    assert [region for region in ("us-ny", "us-ca", "de-be") if rule.applies_to(region)] == ["us-ny"]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"kind": "tornado"}, "`kind` must be one of"),
        ({"severity": "bad"}, "`severity` must be one of minor"),
        ({"variables": ["wind"]}, "`variables` must list some of"),
        ({"at_least": "much"}, "`at_least` must be a number"),
        ({"at_least": ...}, "`at_least` with `clear_below`"),
        ({"at_most": 1.0, "clear_above": 2.0}, "or `at_most` with `clear_above`"),
        ({"clear_below": 21.0}, "they would take turns"),
        ({"statistic": "mean"}, "`over_min`"),
        ({"over_min": 10}, "`over_min`"),
        ({"statistic": "mean", "over_min": -5}, "`over_min` must be a number of minutes"),
        ({"kind": "duration"}, "a duration needs `for_min`"),
        ({"kind": "repetition", "times": 1, "within_min": 10}, "`times` must be a whole number"),
        ({"kind": "change", "statistic": "mean", "over_min": 60}, "`statistic` must be one of fall, rise"),
        ({"kind": "silence", "after_min": 10}, "a silence has no"),
        ({"threshold": 5}, "a threshold has no `threshold`"),
        ({"meaning": ...}, "needs `meaning`"),
        ({"regions": {"only": ["us"]}}, "`regions` has lists"),
    ],
)
def test_a_rule_that_makes_no_sense_is_named(entry: dict[str, object], told: str):
    with pytest.raises(AlertRulesError, match=rf"rule wrong: .*{told}"):
        rules(wrong=entry)


@pytest.mark.parametrize(("content", "told"), [("rules: [", "is not YAML"), ("gale: {}", "a section `rules`")])
def test_a_file_that_is_no_rules_file_is_refused(tmp_path: Path, content: str, told: str):
    file = tmp_path / "rules.yaml"
    file.write_text(content)
    with pytest.raises(AlertRulesError, match=told):
        load_alert_rules(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(AlertRulesError, match=r"none\.yaml cannot be read"):
        load_alert_rules(tmp_path / "none.yaml")
