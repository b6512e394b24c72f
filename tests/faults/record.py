"""The seeds that were run so far, as a page of the reference."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from weahouse.settings import ROOT

if TYPE_CHECKING:
    from tests.faults.suite import Result

PAGE = ROOT / "docs" / "reference" / "fault_seeds.md"
_HEAD = """# Seeds of the fault suite that were run

<!-- Written by `make test-faults RECORD=1`; see ../faults.md. -->

| seed | faults | seconds | settled in | offsets compared | violations |
|---|---|---|---|---|---|
"""
_ROW = re.compile(r"^\| (\d+) \|.*\|$", re.MULTILINE)


def record(result: Result) -> None:
    """Write the seed's row, in place of an earlier one."""
    text = PAGE.read_text() if PAGE.exists() else ""
    rows = {int(found[1]): found[0] for found in _ROW.finditer(text)} | {result.plan.seed: row_of(result)}
    PAGE.write_text(_HEAD + "".join(f"{rows[seed]}\n" for seed in sorted(rows)))


def row_of(result: Result) -> str:
    """One line of the table."""
    names = ", ".join(f"`{name}`" for name in sorted({*result.report.names})) or "none"
    faults = str(result.plan).partition(": ")[2]
    settled = "-" if result.settled_s is None else f"{result.settled_s:.0f} s"
    cells = (result.plan.seed, faults, f"{result.took_s:.0f}", settled, result.report.compared.get("offsets", 0), names)
    return f"| {' | '.join(map(str, cells))} |"
