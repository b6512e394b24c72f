from __future__ import annotations

import pytest
from typer.testing import CliRunner

from weahouse.cli import app


@pytest.mark.parametrize("words", [("lake",), ("lake", "query")], ids=" ".join)
def test_a_statement_needs_no_word_before_it(words: tuple[str, ...]) -> None:
    for options in ((), ("--json",)):
        done = CliRunner().invoke(app, [*words, *options, "DROP TABLE curated.observations"])
        assert "the lake is read-only: write one SELECT statement" in str(done.exception)


def test_an_undoing_that_prints_json_must_not_have_to_ask() -> None:
    done = CliRunner().invoke(app, ["lake", "undo", "a1", "--json"])
    assert "--json asks no questions: add --dry-run or --yes" in str(done.exception)
