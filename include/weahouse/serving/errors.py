"""What a reader may ask for and not get."""

from __future__ import annotations


class NotServedError(ValueError):
    """The question cannot be answered from the live view: one sentence that names the input and what to do."""
