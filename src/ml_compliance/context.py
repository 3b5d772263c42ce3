"""What a measurement may look at: the facts, the law's minimum, and the tables and the model they name, opened once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.facts import Column, Facts, Scalar, Task
from ml_compliance.law import DEFAULT_MINIMUM, Law
from ml_compliance.stats.fairness import Minimum

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

    from ml_compliance.engine.backends import Link
    from ml_compliance.engine.judged import Judged
    from ml_compliance.engine.models import LoadedModel
    from ml_compliance.engine.paired import Paired
    from ml_compliance.stats.counts import Cube
    from ml_compliance.stats.multiclass import ClassCube
    from ml_compliance.stats.regression import ResidualCube

T = TypeVar("T")
Positive = Scalar | tuple[Scalar, ...]
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
        self.law = law
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

        return connect(Path(self._scratch.name))

    @cached_property
    def _link(self) -> Link:
        """The backend that the facts name, which has the tables."""
        from ml_compliance.engine.backends import connect_to

        return self._once("backend", lambda: connect_to(self.facts.data.backend))

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
        from ml_compliance.engine.model_files import admission
        from ml_compliance.engine.models import load

        if not self.facts.model.uri:
            remedy = "write model: {uri: models:/name/version}, or name a prediction column"
            raise UsageError("no model is named", where="compliance.yaml", remedy=remedy)
        model = self.facts.model
        tracking_uri = model.tracking_uri or None
        return self._once("model", lambda: load(model.uri, tracking_uri, self.folder, admission(self.law)), model.uri)

    @property
    def positive(self) -> Positive:
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
    def champion_model(self) -> LoadedModel:
        """The model in use, when the facts name it by its URI."""
        from ml_compliance.engine.model_files import admission
        from ml_compliance.engine.models import load

        uri = self.facts.champion.uri if self.facts.champion else ""
        tracking_uri = self.facts.model.tracking_uri or None
        return self._once("champion model", lambda: load(uri, tracking_uri, self.folder, admission(self.law)), uri)

    @cached_property
    def paired(self) -> Paired:
        """Every row of the judged table with the prediction of the champion, which the facts must name."""
        self._require("binary")
        return self._once("champion", self._pair)

    @cached_property
    def cube(self) -> Cube:
        """The counts of every group, for two classes."""
        from ml_compliance.engine.cube import count_cube

        self._require("binary")
        return count_cube(self.judged)

    @cached_property
    def class_cube(self) -> ClassCube:
        """The counts of every group, for several classes."""
        from ml_compliance.engine.classes import count_classes

        self._require("multiclass")
        return count_classes(self.judged)

    @cached_property
    def residuals(self) -> ResidualCube:
        """The sums of residuals of every group, for predicted numbers."""
        from ml_compliance.engine.residuals import sum_residuals

        self._require("regression")
        return sum_residuals(self.judged)

    def _require(self, task: Task) -> None:
        if self.facts.data.task != task:
            raise EvaluationError(f"this is measured where data.task is {task}; it is {self.facts.data.task}")

    @cached_property
    def _scratch(self) -> TemporaryDirectory[str]:
        return TemporaryDirectory(prefix="ml-compliance-")

    def close(self) -> None:
        """Remove what was written on the way, and let go of the tables."""
        try:
            if "connection" in self.__dict__:
                self.connection.disconnect()
            if "_link" in self.__dict__:
                self._link.close()
        finally:
            if "_scratch" in self.__dict__:
                self._scratch.cleanup()

    def _open(self, written: str) -> ir.Table:
        from ml_compliance.engine.backends import open_there
        from ml_compliance.engine.tables import open_table

        if self.facts.data.backend:
            return self._once(written, lambda: open_there(self._link.backend, self.folder, written))
        return self._once(written, lambda: open_table(self.connection, self.folder, written))

    def _judge(self) -> Judged:
        return self._by_task(self.decided[0], _column(self.facts.data.label), *self.decided[1:])

    @cached_property
    def decided(self) -> tuple[ir.Table, Column, str | None]:
        """The evaluation table with all its columns, which of them is the prediction, and the score's name if there is
        one. Raises UsageError when the facts name both a model and a prediction column, or neither.
        """
        from ml_compliance.engine import scoring

        data, uri = self.facts.data, self.facts.model.uri
        if data.prediction is not None and uri:
            raise UsageError("both a model and a prediction column are named, and only one can be judged",
                             where="compliance.yaml", remedy="leave out data.prediction, and the model predicts; "
                             "or leave out model.uri")  # fmt: skip
        if data.prediction is not None:
            return self.evaluation, _column(data.prediction), data.score
        if not uri:
            raise UsageError("there is neither a prediction column nor a model", where="compliance.yaml",
                             remedy="write data.prediction: COLUMN, or model: {uri: models:/name/version}")  # fmt: skip
        score = scoring.SCORE if scoring.SCORE in self._predictions.columns else None
        return self._predictions, replace(_column(data.label), column=scoring.PREDICTION), score

    @cached_property
    def _predictions(self) -> ir.Table:
        """The evaluation table with the model's predictions."""
        positive = self.positive if self.facts.data.task == "binary" else None
        return self._scored(self.model, self.evaluation, positive, "predictions.parquet")

    def _pair(self) -> Paired:
        from ml_compliance.engine.matching import judge_predictions, match

        data, champion, challenger = self.facts.data, self.facts.champion, self.judged
        if champion is None or not champion.predictions:
            return self._scored_by_champion()
        table = self._open(champion.predictions)
        if data.backend and data.prediction is None:
            # The model's own predictions are here, and only tables of one engine can be joined.
            table = self._copied(table, "champion.parquet")
        usual = replace(_column(data.label), column="prediction")
        prediction = _column(champion.prediction or data.prediction or usual)
        score = champion.score or (data.score if data.score in table.columns else None)
        return match(challenger, judge_predictions(table, champion.predictions, prediction, score), str(data.id))

    def _scored_by_champion(self) -> Paired:
        """The table that the challenger was judged on, scored by the champion as well: nothing has to be joined."""
        from ml_compliance.engine import scoring
        from ml_compliance.engine.judged import judge_table
        from ml_compliance.engine.paired import CHALLENGER, CHALLENGER_SCORE, side_by_side

        data, label = self.facts.data, _column(self.facts.data.label)
        usual = replace(label, column=scoring.PREDICTION)
        table, prediction, score = self.evaluation, data.prediction, data.score
        if prediction is None:
            table, prediction = self._predictions, replace(label, column=CHALLENGER)
            score = CHALLENGER_SCORE if scoring.SCORE in table.columns else None
            table = table.rename({CHALLENGER: scoring.PREDICTION} | ({score: scoring.SCORE} if score else {}))
        scored = self._scored(self.champion_model, table, self.positive, "champion.parquet")
        challenger = judge_table(scored, data.evaluation, label, _column(prediction), score, data.sensitive)
        own = scoring.SCORE if scoring.SCORE in scored.columns else None
        return side_by_side(challenger, judge_table(scored, self.champion_model.uri, label, usual, own, ()))

    def _scored(self, model: LoadedModel, table: ir.Table, positive: Positive | None, name: str) -> ir.Table:
        """`table` with the predictions of `model`, in a file here."""
        from ml_compliance.engine.scoring import score

        features, progress = self.facts.model.features, self.progress
        return self._kept(name, lambda target: score(model, table, features, positive, target, progress))

    def _copied(self, table: ir.Table, name: str) -> ir.Table:
        from ml_compliance.engine.scoring import copy

        return self._kept(name, lambda target: copy(table, target))

    def _kept(self, name: str, write: Callable[[Path], None]) -> ir.Table:
        """The table that `write` leaves in the scratch folder, opened by the embedded DuckDB."""
        from ml_compliance.engine.tables import open_table

        target = Path(self._scratch.name) / name
        write(target)
        return open_table(self.connection, target.parent, target.name)

    def _by_task(self, table: ir.Table, label: Column, prediction: Column, score: str | None) -> Judged:
        data = self.facts.data
        if data.task == "multiclass":
            from ml_compliance.engine.classes import judge_classes

            return judge_classes(table, data.evaluation, label.column, prediction.column, data.sensitive)
        if data.task == "regression":
            from ml_compliance.engine.residuals import judge_numbers

            return judge_numbers(table, data.evaluation, label.column, prediction.column, data.sensitive)
        from ml_compliance.engine.judged import judge_table

        return judge_table(table, data.evaluation, label, prediction, score, data.sensitive)

    def _once(self, what: str, make: Callable[[], T], named: str = "") -> T:
        """`make()`, or the error that it raised the first time: opening a broken thing twice helps nobody.

        `named` is what the facts call the thing, where the error does not say.
        """
        if what in self._failed:
            raise self._failed[what]
        try:
            return make()
        except (UsageError, EvaluationError) as error:
            error.named = error.named or named
            self._failed[what] = error
            raise


def _column(column: str | Column) -> Column:
    return Column(column) if isinstance(column, str) else column
