"""Small changes of a model's inputs, the same every time: noise, missing values, exchanged categories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Random = np.random.Generator

SEED = 20_260_101

Perturb = Callable[["pd.DataFrame", float, "Random"], tuple["pd.DataFrame", list[str]]]
"""A changed copy of a frame, and which of its columns were changed."""


def perturbed(frame: pd.DataFrame, name: str, strength: float) -> tuple[pd.DataFrame, list[str]]:
    """`frame` after the perturbation `name` of PERTURBATIONS, and the columns that it is about: maybe none."""
    import numpy as np

    return PERTURBATIONS[name](frame.copy(), strength, np.random.default_rng(SEED))


def noise(frame: pd.DataFrame, strength: float, random: Random) -> tuple[pd.DataFrame, list[str]]:
    """Every number plus a normal one of `strength` standard deviations of its column; whole numbers stay whole."""
    columns = [name for name in frame.columns if _is_number(frame[name])]
    for name in columns:
        old = frame[name]
        moved = old + random.normal(0.0, 1.0, len(old)) * strength * float(old.std(ddof=0))
        frame[name] = moved if old.dtype.kind == "f" else moved.round().astype(old.dtype)
    return frame, columns


def missing(frame: pd.DataFrame, strength: float, random: Random) -> tuple[pd.DataFrame, list[str]]:
    """Every value is taken away with the probability `strength`."""
    for name in frame.columns:
        frame[name] = frame[name].mask(random.random(len(frame)) < strength)
    return frame, list(frame.columns)


def shuffle(frame: pd.DataFrame, strength: float, random: Random) -> tuple[pd.DataFrame, list[str]]:
    """In a share of `strength` of the rows, categories change places with one another, column by column."""
    columns = [name for name in frame.columns if frame[name].dtype.kind in "Ob" or _is_text(frame[name])]
    for name in columns:
        rows = random.permutation(len(frame))[: round(strength * len(frame))]
        values: Any = frame[name].to_numpy(copy=True)
        values[rows] = values[random.permutation(rows)]
        frame[name] = values
    return frame, columns


PERTURBATIONS: Mapping[str, Perturb] = {"noise": noise, "missing": missing, "shuffle": shuffle}


def _is_number(column: pd.Series[Any]) -> bool:
    return column.dtype.kind in "iuf"


def _is_text(column: pd.Series[Any]) -> bool:
    from pandas.api.types import is_string_dtype

    return bool(is_string_dtype(column.dtype))
