"""Tables that stay where they are: Spark, a warehouse or a database, by the URL of an Ibis backend."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_compliance.engine.sources import DELIMITERS, PARQUET
from ml_compliance.errors import EvaluationError, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir

_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


def connect_to(url: str) -> Any:
    """The Ibis backend at `url`, such as `pyspark://?spark.master=local[2]`; `$NAME` is an environment variable.

    Raises UsageError when a variable is not set or nobody speaks that kind of URL, EvaluationError when there is no
    connection. Messages name the URL as it is written, since a password may be behind a variable.
    """
    import ibis

    for name in _VARIABLE.findall(url):
        if name not in os.environ:
            raise UsageError(f"the environment variable {name} is not set", where=f"data.backend {url}")
    try:
        return ibis.connect(_VARIABLE.sub(lambda found: os.environ[found[1]], url))
    except (ValueError, ImportError) as error:
        kind = url.partition(":")[0]
        raise UsageError(
            f"no backend of Ibis answers to {kind!r}: {type(error).__name__}",
            where=f"data.backend {url}",
            remedy=f"install it: pip install 'ibis-framework[{kind}]'",
        ) from error
    except Exception as error:
        # Every backend has errors of its own; whichever it is, there is no connection.
        raise EvaluationError(
            f"there is no connection: {type(error).__name__}", where=f"data.backend {url}", remedy="is it running?"
        ) from error


def open_there(backend: Any, folder: Path, written: str) -> ir.Table:
    """The table `written`: the backend's table of that name, or a file that the backend can read.

    Raises EvaluationError when it has no such table, or cannot read it.
    """
    suffix = Path(written).suffix.lower()
    place = written if "://" in written else str(folder / written)
    try:
        if suffix in PARQUET:
            return backend.read_parquet(place)
        if suffix in DELIMITERS:
            return backend.read_csv(place, header=True, sep=DELIMITERS[suffix], inferSchema=True)
        return backend.table(written)
    except Exception as error:
        # As above: what matters is that the table is not there to be judged.
        raise EvaluationError(f"the backend cannot read the table: {type(error).__name__}", where=written,
                              remedy="correct data.evaluation, or data.backend") from error  # fmt: skip
