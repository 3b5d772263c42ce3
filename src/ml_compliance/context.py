"""What a measurement may look at: the facts, the law's minimum, and the tables and the model they name, opened once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.facts import Column, Facts, Scalar
from ml_compliance.law import DEFAULT_MINIMUM, Law
from ml_compliance.stats.fairness import Minimum

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

    from ml_compliance.engine.judged import Judged
    from ml_compliance.engine.models import LoadedModel
    from ml_compliance.stats.counts import Cube

T = TypeVar("T")
Advance = Callable[[int], None]
Progress = Callable[[str, int | None], AbstractContextManager[Advance]]


@contextmanager
def silent(description: str, total: int | None) -> Iterator[Advance]:
    """Progress that nobody sees."""
    yield lambda steps: None


class Context:
    """Opened lazily: a measurement that needs no model loads none.

    `folder` is where compliance.yaml lies, and where relative paths in it start; `out` is the folder in which a
    measurement may leave files. A failure to open something is raised again, unchanged, for everyone who asks.
    """

    def __init__(self, facts: Facts, law: Law | None, folder: Path, out: Path, progress: Progress = silent) -> None:
        self.facts = facts
        self.minimum = Minimum(**(law.minimum if law else DEFAULT_MINIMUM))
        self.folder = folder
        self.out = out
        self.progress = progress
        self._failed: dict[str, UsageError | EvaluationError] = {}

    def path(self, written: str) -> Path:
        """The file behind a path as compliance.yaml writes it."""
        return self.folder / written

    @cached_property
    def connection(self) -> Backend:
        from ml_compliance.engine.tables import connect

        return connect()

    @cached_property
    def evaluation(self) -> ir.Table:
        """The table the model is judged on, as it is in its file."""
        return self._open(self.facts.data.evaluation)

    @cached_property
    def reference(self) -> ir.Table | None:
        """The table that data is compared with, if the facts name one."""
        written = self.facts.data.reference
        return self._open(written) if written else None

    @cached_property
    def model(self) -> LoadedModel:
        """The model that the facts name. Raises UsageError when they name none or there is none."""
        from ml_compliance.engine.models import load

        if not self.facts.model.uri:
            raise UsageError(
                "no model is named",
                where="compliance.yaml",
                remedy="write model: {uri: models:/name/version}, or name a prediction column",
            )
        return self._once(
            "model", lambda: load(self.facts.model.uri, self.facts.model.tracking_uri or None, self.folder)
        )

    @property
    def positive(self) -> Scalar | tuple[Scalar, ...]:
        """The class, or classes, that the model calls positive.

        Raises UsageError when the label only says what is negative, or where a number is cut.
        """
        label = _column(self.facts.data.label)
        if label.negative is not None or label.at_least is not None:
            raise UsageError(
                "a model names its classes, so the label must name the positive one",
                where="compliance.yaml",
                remedy=f"write data.label: {{column: {label.column}, positive: VALUE}}",
            )
        return 1 if label.positive is None else label.positive

    @cached_property
    def judged(self) -> Judged:
        """Label, prediction, score and sensitive attributes of every row, checked."""
        return self._once("judged", self._judge)

    @cached_property
    def cube(self) -> Cube:
        """The counts of every group."""
        from ml_compliance.engine.cube import count_cube

        return count_cube(self.judged)

    @cached_property
    def _scratch(self) -> TemporaryDirectory[str]:
        return TemporaryDirectory(prefix="ml-compliance-")

    def close(self) -> None:
        """Remove what was written on the way, and let go of the tables."""
        if "_scratch" in self.__dict__:
            self._scratch.cleanup()
        if "connection" in self.__dict__:
            self.connection.disconnect()

    def _open(self, written: str) -> ir.Table:
        from ml_compliance.engine.tables import open_table

        return self._once(written, lambda: open_table(self.connection, self.path(written), written))

    def _judge(self) -> Judged:
        from ml_compliance.engine.judged import judge_table

        data = self.facts.data
        label = _column(data.label)
        if data.prediction is not None:
            prediction = _column(data.prediction)
            return judge_table(self.evaluation, data.evaluation, label, prediction, data.score, data.sensitive)
        if not self.facts.model.uri:
            raise UsageError(
                "there is neither a prediction column nor a model",
                where="compliance.yaml",
                remedy="write data.prediction: COLUMN, or model: {uri: models:/name/version}",
            )
        return self._predicted(label)

    def _predicted(self, label: Column) -> Judged:
        from ml_compliance.engine import scoring
        from ml_compliance.engine.judged import judge_table
        from ml_compliance.engine.tables import open_table

        target = Path(self._scratch.name) / "predictions.parquet"
        scoring.score(self.model, self.evaluation, self.facts.model.features, self.positive, target, self.progress)
        table = open_table(self.connection, target, self.facts.data.evaluation)
        has_score = scoring.SCORE in table.columns
        return judge_table(
            table,
            self.facts.data.evaluation,
            label,
            Column(scoring.PREDICTION, label.positive, label.negative, label.at_least),
            scoring.SCORE if has_score else None,
            self.facts.data.sensitive,
        )

    def _once(self, what: str, make: Callable[[], T]) -> T:
        """`make()`, or the error that it raised the first time: opening a broken thing twice helps nobody."""
        if what in self._failed:
            raise self._failed[what]
        try:
            return make()
        except (UsageError, EvaluationError) as error:
            self._failed[what] = error
            raise


def _column(column: str | Column) -> Column:
    return Column(column) if isinstance(column, str) else column
