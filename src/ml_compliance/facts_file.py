"""compliance.yaml as a file: read, held to its schema, and to what a schema cannot say."""

from __future__ import annotations

import re
from pathlib import Path

from ml_compliance.errors import UsageError
from ml_compliance.facts import Column, Data, Facts, facts_schema
from ml_compliance.yaml_file import YamlFile, check, read_yaml


def read_facts(path: Path) -> Facts:
    """Read compliance.yaml. Raises UsageError with file, line and remedy when something in it is wrong."""
    from pydantic import TypeAdapter

    file = read_yaml(path, path.name)
    check(file, facts_schema())
    facts: Facts = TypeAdapter(Facts).validate_python(file.data)
    _check_together(facts, path.parent, file)
    return facts


def _check_together(facts: Facts, folder: Path, file: YamlFile) -> None:
    """Raise UsageError, with the line in `file`, where facts contradict each other or what is in `folder`."""
    for key in ("label", "prediction"):
        _check_column(getattr(facts.data, key), key, file)
    _check_task(facts.data, file)
    _check_champion(facts, file)
    _check_image(facts, file)
    _check_mask(facts.record.mask, file)
    _check_rego(facts, folder, file)


def _check_rego(facts: Facts, folder: Path, file: YamlFile) -> None:
    """Of a policy that a server holds, nothing has to be here."""
    if facts.rego and facts.server is None and not (folder / facts.rego).exists():
        where = f"{file.name}:{file.line(('rego',))}"
        raise UsageError(f"rego: there is no file or folder {facts.rego!r}", where=where,
                         remedy="name a .rego file, its folder, or a bundle")  # fmt: skip


def _check_mask(mask: tuple[str, ...], file: YamlFile) -> None:
    for index, path in enumerate(mask):
        if not re.fullmatch(r"input(\.[^.]+)*", path):
            raise UsageError(f"record.mask: {path!r} is no path into the input",
                             where=f"{file.name}:{file.line(('record', 'mask', index))}",
                             remedy="write it as input.evidence.data.facts, with * for every key or item")  # fmt: skip


def _check_column(column: str | Column | None, key: str, file: YamlFile) -> None:
    if not isinstance(column, Column):
        return
    said = [name for name in ("positive", "negative", "at_least") if getattr(column, name) is not None]
    if len(said) > 1:
        where = f"{file.name}:{file.line(('data', key))}"
        raise UsageError(f"data.{key} says {' and '.join(said)}", where=where, remedy="keep one of them")


def _check_task(data: Data, file: YamlFile) -> None:
    """A positive class and its score belong to two classes; elsewhere they would be ignored without a word."""
    if data.task == "binary":
        return
    for key in ("label", "prediction"):
        column = getattr(data, key)
        said = [name for name in ("positive", "negative", "at_least") if getattr(column, name, None) is not None]
        if said:
            what = f"data.{key} says {said[0]}, which is for two classes; data.task is {data.task}"
            where = f"{file.name}:{file.line(('data', key))}"
            raise UsageError(what, where=where, remedy=f"write data.{key}: {column.column}")
    if data.score is not None:
        raise UsageError(
            f"data.score is the probability of one of two classes; data.task is {data.task}",
            where=f"{file.name}:{file.line(('data', 'score'))}",
            remedy="leave data.score out",
        )


def _check_image(facts: Facts, file: YamlFile) -> None:
    image = facts.image
    if image is None:
        return
    if bool(image.name) == bool(image.archive):
        said = "both a name and an archive" if image.name else "neither a name nor an archive"
        raise UsageError(f"image has {said}", where=f"{file.name}:{file.line(('image',))}", remedy="write one of them")
    if image.name.startswith("-"):  # Trivy would take it for an option
        raise UsageError(f"image.name: {image.name!r} is no name of an image",
                         where=f"{file.name}:{file.line(('image', 'name'))}")  # fmt: skip


def _check_champion(facts: Facts, file: YamlFile) -> None:
    champion = facts.champion
    if champion is None:
        return
    where = f"{file.name}:{file.line(('champion',))}"
    if bool(champion.uri) == bool(champion.predictions):
        said = "both a uri and predictions" if champion.uri else "neither a uri nor predictions"
        raise UsageError(f"champion names {said}", where=where, remedy="write one of them")
    if champion.predictions and facts.data.id is None:
        raise UsageError("the champion's predictions are found by the id of the row, and data.id names no column",
                         where=where, remedy="write data.id: COLUMN, a column that both tables have")  # fmt: skip
    if champion.uri and (champion.prediction is not None or champion.score is not None):
        raise UsageError("a champion with a uri predicts itself: it has no columns of predictions", where=where,
                         remedy="leave out champion.prediction and champion.score")  # fmt: skip
