"""Who approved the model, and who trained it: statements of a file, of MLflow and of git."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ml_compliance.errors import UsageError
from ml_compliance.git import NoGitError, git_author
from ml_compliance.measure._digests import file_digest, folder_digests, listing_digest
from ml_compliance.model import Evidence, Json
from ml_compliance.yaml_file import YamlFile, check, read_yaml, refuse_disguised

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.engine.models import LoadedModel
    from ml_compliance.facts import NoSettings

# The tag that MLflow sets to the user's name; a team may name the trainer itself.
_TRAINER_TAGS = ("trainer", "mlflow.user")
_COMMIT_TAG = "mlflow.source.git.commit"
_TIMES = ("time", "expires")

_TEXT = {"type": "string", "minLength": 1}
_APPROVAL: dict[str, Any] = {
    "type": "object",
    "required": ["model", "approver", "role", "time", "expires"],
    "oneOf": [{"required": ["version"]}, {"required": ["digest"]}],
    "additionalProperties": False,
    "properties": {
        "model": {**_TEXT, "description": "The model's name."},
        "version": {**_TEXT, "description": "Its version in the registry."},
        "digest": {**_TEXT, "description": "The sha256 over the list of its files, model_sha256 in the lineage."},
        "approver": {**_TEXT, "description": "A user name or an e-mail address."},
        "role": {**_TEXT, "description": "In which role."},
        "time": {**_TEXT, "description": "When, such as 2026-11-20T10:00:00Z."},
        "expires": {**_TEXT, "description": "From when on the approval does not count."},
        "note": {**_TEXT, "description": "Why."},
    },
}
APPROVALS_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "ml-compliance/approvals/v1",
    "title": "approvals.yaml",
    "type": "object",
    "required": ["approvals"],
    "additionalProperties": False,
    "properties": {"approvals": {"type": "array", "items": _APPROVAL, "description": "Who approved which model."}},
}


def measure(context: Context, settings: NoSettings) -> Evidence:
    """The approvals of the file that the facts name, the model they should be about, and who trained it.

    Times are given in UTC to the second. Nothing here checks that an approver wrote the line: who may change the file
    is for the repository to control. Raises UsageError when the file is not there or not what it should be.
    """
    facts = context.facts
    if not facts.approvals:
        return Evidence("approvals", "missing", reason="no file is named: write approvals: approvals.yaml")
    file = read_yaml(context.path(facts.approvals), facts.approvals)
    check(file, APPROVALS_SCHEMA)
    for place in range(len(file.data["approvals"])):
        refuse_disguised(file, ("approvals", place, "approver"))
    model = context.model if facts.model.uri else None
    trainers = list(_trainers(context, model))
    return Evidence(
        "approvals",
        "declared",
        facts={
            "approvals": [_approval(item, place, file) for place, item in enumerate(file.data["approvals"])],
            "model": _model(context, model),
            "trainers": trainers,
            "trainer_count": len(trainers),
        },
        files=(file_digest(context.path(facts.approvals), facts.approvals),),
    )


def _approval(item: Mapping[str, str], place: int, file: YamlFile) -> dict[str, Json]:
    times = {key: _utc(item[key], f"{file.name}:{file.line(('approvals', place, key))}") for key in _TIMES}
    return {**item, **times}


def _utc(text: str, where: str) -> str:
    """`text`, an RFC 3339 time with its offset, in UTC to the second."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(f"{text!r} is no time with an offset from UTC", where=where,
                         remedy="write it such as 2026-11-20T10:00:00Z")  # fmt: skip
    return moment.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def _model(context: Context, model: LoadedModel | None) -> dict[str, Json]:
    """Name, version and digest as the lineage has them; what is not known is left out, and no approval fits it."""
    named, source = context.facts.model, model.source if model else None
    version = (source.version if source else "") or named.version
    return {
        "name": (source.name if source else "") or named.name or context.facts.project,
        **({"version": version} if version else {}),
        **({"digest": listing_digest(folder_digests(source.folder, "model"))} if source else {}),
    }


def _trainers(context: Context, model: LoadedModel | None) -> Iterator[dict[str, Json]]:
    """Whoever the model's run names, and the author of the commit it was trained from; where the run names no commit,
    of the last one that did more than approve.
    """
    tags = model.source.run_tags if model else {}
    for tag in _TRAINER_TAGS:
        if name := tags.get(tag, "").strip():
            yield {"name": name, "source": f"run tag {tag}"}
    try:
        author = git_author(context.folder, tags.get(_COMMIT_TAG, "").strip(), context.facts.approvals)
    except NoGitError:
        # The policy then has the run's tags to go by, and without those it denies.
        return
    yield {"name": author, "source": "author of the git commit"}
