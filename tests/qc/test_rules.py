from __future__ import annotations

from pathlib import Path

import pytest

from weahouse.qc.rules import DEFAULT_RULES, RulesError, load_rules


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = DEFAULT_RULES.read_text()
    assert old in text
    copy = tmp_path / "rules.yaml"
    copy.write_text(text.replace(old, new))
    return copy


def test_the_version_is_a_hash_of_the_content(tmp_path: Path):
    other = changed(tmp_path, "bad: [-80.0, 60.0]", "bad: [-80.0, 61.0]")
    assert load_rules(other).version != load_rules().version


def test_a_range_that_contradicts_itself_is_named(tmp_path: Path):
    wrong = changed(tmp_path, "suspect: [-51.1, 54.4]", "suspect: [54.4, -51.1]")
    with pytest.raises(RulesError, match="air_temperature_c"):
        load_rules(wrong)


def test_an_unknown_variable_is_named(tmp_path: Path):
    wrong = changed(tmp_path, "  dew_point_c: {suspect", "  dewpoint: {suspect")
    with pytest.raises(RulesError, match="dew_point_c, dewpoint"):
        load_rules(wrong)
