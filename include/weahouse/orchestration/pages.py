"""What goes along with every page that Airflow serves for us and that is whole in itself."""

from __future__ import annotations

# Pages show values that came from outside, and what makes them need not escape all of them: no script runs.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
