"""The only code that touches rows: expressions over Ibis, DuckDB embedded."""
