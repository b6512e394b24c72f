"""A proof as one HTML page, whole in itself: what was compared, where each offset ended, and what differs, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from typing import Any

from weahouse.batch.proofs import FAULTS, MEANINGS, Found, is_faulty, lacks
from weahouse.transforms.dispositions import DISPOSITIONS, DOUBLED, UNACCOUNTED

RUNBOOK = "docs/runbooks/reconciliation_failed.md"
_COMPARED, _DIFFERING = "compared_", "differing_"
# Not compared, or not yet: no fault, but a proof that is silent about it would claim more than it has seen.
_LEFT_OUT = ("pending_units", "aged_windows")
_ENDS = (*DISPOSITIONS, UNACCOUNTED, DOUBLED)
# Of the bar's width: what is there must be seen, however little of it there is.
_LEAST_PCT = 0.6
_STYLE = """
:root { color-scheme: light dark; --text: #1d2330; --muted: #5c6675; --line: #d8dde5; --card: #f5f7fa; --back: #fff;
  --good: #17693a; --bad: #b3261e; --curated: #2f6fb5; --duplicate: #6fa8a0; --superseded: #c98a1b;
  --quarantined: #7b62a8; --unaccounted: #b3261e; --doubled: #8e1f5b; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ef; --muted: #9aa5b5; --line: #343c49; --card: #1c222c;
  --back: #12161d; --good: #5fc98a; --bad: #ff8a80; --curated: #5b9be0; --duplicate: #7fc4ba; --superseded: #e0a94a;
  --quarantined: #a58bd6; --unaccounted: #ff6b60; --doubled: #e46aa8; } }
body { background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 58rem; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
p { margin: .4rem 0; } .muted { color: var(--muted); } a { color: inherit; }
.verdict { background: var(--card); border-left: .35rem solid; font-weight: 600; margin: 1.2rem 0; padding: .6rem; }
.good { border-color: var(--good); } .bad { border-color: var(--bad); } .good strong { color: var(--good); }
.bad strong, td.fault { color: var(--bad); font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th { color: var(--muted); font-weight: 600; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .7rem; text-align: left; vertical-align: top; }
td.number, th.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
svg { border-radius: .3rem; display: block; height: 1.6rem; margin: .6rem 0 1rem; width: 100%; }
.key { border-radius: .2rem; display: inline-block; height: .75rem; margin-right: .5rem; width: .75rem; }
.scroll { overflow-x: auto; } code { font: .92em ui-monospace, monospace; }
"""

Cells = Iterable[tuple[str, str]]


def proof_page(found: Found, begin: datetime, end: datetime, proved_at: datetime) -> str:
    """The page of what `prove` found of [begin, end); values that came from outside are written as text."""
    title = f"Proof of {_time(begin)} to {_time(end)}"
    parts = [
        f'<p class="muted"><a href="./">All proofs</a></p><h1>{escape(title)}</h1>',
        f'<p class="muted">Records by append time, UTC. Compared at {_time(proved_at)}.</p>',
        _verdict(found),
        "<h2>What was compared</h2>",
        _table(("what", ""), ("compared", "number"), ("differing", "number"), rows=_comparisons(found)),
        *[f'<p class="muted">{escape(MEANINGS[name])}: {found[name]:,}</p>' for name in _LEFT_OUT if found[name]],
        "<h2>Where each offset ended</h2>",
        _bar(found),
        _table(("disposition", ""), ("offsets", "number"), ("share", "number"), ("its records", ""), rows=_ends(found)),
        *_differences(found["examples"]),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head>\n<body>{body}</body></html>\n'


def verdict(found: Found) -> str:
    """The outcome in one line."""
    if absent := lacks(found):
        return f"Nothing was compared: no {' and no '.join(MEANINGS[name] for name in absent)}"
    faults = [f"{found[name]:,} {name.replace('_', ' ')}" for name in FAULTS if found[name]]
    return ", ".join(faults) if faults else "Nothing differs"


def _verdict(found: Found) -> str:
    kind = "bad" if is_faulty(found) else "good"
    way_out = f" What to do: <code>{RUNBOOK}</code>" if is_faulty(found) else ""
    return f'<p class="verdict {kind}"><strong>{escape(verdict(found))}.</strong>{way_out}</p>'


def _comparisons(found: Found) -> Iterable[Cells]:
    faults = found[UNACCOUNTED] + found[DOUBLED]
    yield [(f"{MEANINGS['offsets']}: exactly one disposition each", ""), _number(found["offsets"]), _fault(faults)]
    for name, meaning in MEANINGS.items():
        differing = name.replace(_COMPARED, _DIFFERING)
        if name.startswith(_COMPARED) and differing in found:
            yield [(meaning, ""), _number(found[name]), _fault(found[differing])]


def _ends(found: Found) -> Iterable[Cells]:
    for name in _ENDS:
        key = f'<span class="key" style="background:var(--{name})"></span>{name}'
        number = _fault(found[name]) if name in FAULTS else _number(found[name])
        yield [(key, "html"), number, (_share(found[name], found["offsets"]), "number"), (MEANINGS[name], "")]


def _bar(found: Found) -> str:
    """The dispositions as one bar, of which each has the share that it has of the offsets."""
    held = {name: found[name] for name in _ENDS if found[name]}
    widths = {name: max(_LEAST_PCT, 100 * number / sum(held.values())) for name, number in held.items()}
    scale, left, drawn = 100 / (sum(widths.values()) or 1), 0.0, []
    for name, width in widths.items():
        place = f'x="{left:.3f}" width="{width * scale:.3f}" height="10" fill="var(--{name})"'
        drawn.append(f"<rect {place}><title>{name}: {held[name]:,}</title></rect>")
        left += width * scale
    label = ", ".join(f"{name} {number:,}" for name, number in held.items())
    return (
        f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{label}">{"".join(drawn)}</svg>'
    )


def _differences(examples: Sequence[dict[str, Any]]) -> Iterable[str]:
    """A table for the examples of each kind, which are told apart by what names them."""
    for names, kind in groupby(examples, key=tuple):
        rows = [[(str(example[name]), "") for name in names] for example in kind]
        yield f"<h2>Examples by {escape(', '.join(name.replace('_', ' ') for name in names))}</h2>"
        yield _table(*[(name, "") for name in names], rows=rows)


def _table(*header: tuple[str, str], rows: Iterable[Cells]) -> str:
    """Cells are (text, class); of the class `html` they are written as they are."""
    head = "".join(f'<th class="{kind}">{escape(name)}</th>' for name, kind in header)
    body = "".join(
        "<tr>" + "".join(f'<td class="{kind}">{text if kind == "html" else escape(text)}</td>' for text, kind in row)
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _number(number: int) -> tuple[str, str]:
    return f"{number:,}", "number"


def _fault(number: int) -> tuple[str, str]:
    return f"{number:,}", "number fault" if number else "number"


def _share(number: int, total: int) -> str:
    return f"{100 * number / total:.2f} %" if total else ""


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
