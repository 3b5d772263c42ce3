"""Any table of features as a matrix of floats and back, because SHAP mixes the values of rows as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Encoding:
    """`categories` maps the columns that are no numbers to their values in the order of their codes."""

    types: dict[str, Any]
    categories: dict[str, pd.Index[Any]]

    @property
    def numeric(self) -> bool:
        return not self.categories

    def matrix(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """`frame` as floats, shape (rows, columns); a category is its code, a missing number NaN."""
        import numpy as np

        columns = [
            self.categories[name].get_indexer(frame[name]).astype(float)
            if name in self.categories
            else frame[name].to_numpy(dtype=float)
            for name in self.types
        ]
        return np.column_stack(columns)

    def frame(self, matrix: np.ndarray[Any, Any]) -> pd.DataFrame:
        """The inverse of `matrix`, also for rows mixed from several rows."""
        import pandas as pd

        columns: dict[str, Any] = {}
        for place, (name, kind) in enumerate(self.types.items()):
            if name in self.categories:
                values = self.categories[name].take(matrix[:, place].astype(int))
                columns[name] = pd.Series(values.array, dtype=kind)
            else:
                columns[name] = matrix[:, place].astype(kind)
        return pd.DataFrame(columns)


def encoding(frame: pd.DataFrame) -> Encoding:
    """How to encode the columns of `frame`. Raises TypeError when a column holds lists or other structures."""
    import numpy as np
    import pandas as pd

    types = {str(name): frame[name].dtype for name in frame.columns}
    categories: dict[str, pd.Index[Any]] = {}
    for name in types:
        column = frame[name]
        if column.dtype.kind in "iuf":
            continue
        if any(isinstance(value, list | dict | np.ndarray) for value in column):
            raise TypeError(f"the column {name!r} holds lists or structures")
        values = column.drop_duplicates()
        order = values.astype(str).sort_values(kind="stable").index
        categories[name] = pd.Index(values.loc[order], dtype=column.dtype)
    return Encoding(types, categories)
