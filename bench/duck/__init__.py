"""The offline work in DuckDB: the yardstick of `curation` and `recompute`, written anew from the same rules."""
