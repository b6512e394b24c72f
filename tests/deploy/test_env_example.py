from __future__ import annotations

from weahouse.settings import ROOT, Settings, from_environment


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.removeprefix("#").split("=", 1) for line in lines if line.startswith("#WEAHOUSE_"))


def test_every_line_shows_the_default() -> None:
    defaults = Settings().environment()
    shown = from_environment(example()).environment()
    # The two folders are shown relative to the checkout.
    for name in set(example()) - {"WEAHOUSE_HOME", "WEAHOUSE_CACHE"}:
        assert shown[name] == defaults[name], name
