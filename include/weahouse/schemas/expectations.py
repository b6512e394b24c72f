"""What the schemas demand of a table, rendered as expectations: plain configurations for Great Expectations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from weahouse.schemas.fields import BAD_FLAG, FIELDS, MISSING_FLAG, VARIABLES, flag_of
from weahouse.schemas.render import to_spark

if TYPE_CHECKING:
    from weahouse.schemas.kinds import Dataset

Expectation = dict[str, Any]


def expectations_of(dataset: Dataset) -> list[Expectation]:
    """Columns in their order, types, required columns, the key, and what the dictionary says of each column's values.

    A measurement that stands beside its flag must be there unless it is flagged missing, and lie within its physical
    limits unless it is flagged bad: a value is never changed, so what is flagged bad may be anything.
    """
    each = [expectation for name in dataset.columns for expectation in _of_values(name, dataset)]
    return [*_columns(dataset), *_types(dataset), *_required(dataset), _key(dataset), *each]


def _columns(dataset: Dataset) -> Iterator[Expectation]:
    # One expectation says it of all columns together, but pages cannot be made of its mere verdict.
    count = len(dataset.columns)
    yield _expectation("expect_table_column_count_to_equal", f"The table has {count} columns.", value=count)
    for place, name in enumerate(dataset.columns):
        yield _expectation("expect_column_to_exist", f"{name} is column {place + 1}.", column=name, column_index=place)


def _types(dataset: Dataset) -> Iterator[Expectation]:
    for field in to_spark(dataset):
        yield _expectation(
            "expect_column_values_to_be_of_type",
            f"{field.name} is a {FIELDS[field.name].type}.",
            column=field.name,
            type_=type(field.dataType).__name__,
        )


def _required(dataset: Dataset) -> Iterator[Expectation]:
    for name in dataset.required:
        yield _expectation("expect_column_values_to_not_be_null", f"Every row has a {name}.", column=name)


def _key(dataset: Dataset) -> Expectation:
    told = f"There is one row for each {', '.join(dataset.primary_key)}."
    if len(dataset.primary_key) == 1:
        return _expectation("expect_column_values_to_be_unique", told, column=dataset.primary_key[0])
    return _expectation("expect_compound_columns_to_be_unique", told, column_list=list(dataset.primary_key))


def _of_values(name: str, dataset: Dataset) -> Iterator[Expectation]:
    field = FIELDS[name]
    flag = flag_of(name) if name in VARIABLES and flag_of(name) in dataset.columns else None
    usable = _where(f"{flag} NOT IN ({BAD_FLAG}, {MISSING_FLAG})") if flag else {}
    if flag:
        yield _expectation(
            "expect_column_values_to_not_be_null",
            f"A missing {name} is flagged {MISSING_FLAG}.",
            column=name,
            **_where(f"{flag} != {MISSING_FLAG}"),
        )
    if field.pattern:
        yield _expectation(
            "expect_column_values_to_match_regex",
            f"{name} is written as the dictionary says.",
            column=name,
            regex=field.pattern,
        )
    if field.values:
        yield _expectation(
            "expect_column_values_to_be_in_set",
            f"{name} is one of {', '.join(map(str, field.values))}.",
            column=name,
            value_set=list(field.values),
        )
    if field.minimum is not None or field.maximum is not None:
        yield _expectation(
            "expect_column_values_to_be_between",
            f"{'A usable' if flag else 'Every'} {name} lies within its limits.",
            column=name,
            min_value=field.minimum,
            max_value=field.maximum,
            **usable,
        )


def _where(condition: str) -> dict[str, Any]:
    return {
        "condition_parser": "spark",
        "row_condition": {"type": "pass_through", "pass_through_filter": condition},
    }


def _expectation(kind: str, told: str, **kwargs: Any) -> Expectation:
    return {"type": kind, "description": told, "kwargs": kwargs}
