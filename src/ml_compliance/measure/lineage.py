"""Where model and data come from: MLflow run and registry, digests of every file, git commit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ml_compliance.engine.sources import files_of, is_remote
from ml_compliance.errors import EvaluationError
from ml_compliance.git import GitState, NoGitError, git_state
from ml_compliance.measure._digests import file_digest, folder_digests, listing_digest
from ml_compliance.model import Evidence, FileDigest, Json

if TYPE_CHECKING:
    from ml_compliance.context import Context
    from ml_compliance.engine.models import LoadedModel
    from ml_compliance.facts import NoSettings

MASK = "***"

_SECRET = re.compile(r"pass(word|wd|phrase)|pwd|token|secret|credential|(^|[^a-z])(api|access|private)?keys?($|[^a-z])")
_USER = re.compile(r"://[^/@\s]+@")
_JUDGED = ("evaluation", "reference")
_DATA = (*_JUDGED, "training", "raw")

# Artifact of the law → names under which training code leaves it on the run, the first found is taken.
_LEFT_BY_TRAINING = {
    "raw_data_hash": ("raw_data_hash", "raw_data_sha256"),
    "source_data_hash": ("lineage.source_data_hash", "source_data_hash"),
    "processing_code_commit": ("processing_code_commit", "git_commit", "mlflow.source.git.commit"),
    "feature_store_version": ("feature_store_version",),
    "git_commit": ("git_commit", "mlflow.source.git.commit"),
}


def measure(context: Context, settings: NoSettings) -> Evidence:
    """Facts and digests; no numbers.

    Without a model URI MLflow is not imported. Raises UsageError when a file that compliance.yaml names is not
    there, EvaluationError when MLflow does not answer.
    """
    facts = context.facts
    model = context.model if facts.model.uri else None
    model_files = folder_digests(model.source.folder, "model") if model else ()
    there = {role: facts.data.backend if role in _JUDGED else "" for role in _DATA}
    data_files = {role: _data_files(context.folder, getattr(facts.data, role), there[role]) for role in _DATA}
    elsewhere = [
        _USER.sub(f"://{MASK}@", written)
        for role in _DATA
        if (written := getattr(facts.data, role)) and is_remote(written, there[role])
    ]
    git, git_reason = _git(context.folder)
    artifacts = _artifacts(model, model_files, data_files, git)
    conflicts = _conflicts(context, model, artifacts, data_files["raw"])
    known = {name: found for name, found in artifacts.items() if not any(c.startswith(f"{name}:") for c in conflicts)}
    card = _card(context)
    files = {file.path: file for file in chain(model_files, *data_files.values())}
    return Evidence(
        "lineage",
        "measured",
        facts={
            "model": _model(context, model),
            "training_features": _features(context, model),
            # Null is no declaration; an empty list declares that there is none.
            "proxies": _proxies(context),
            "data_card": {"path": card.path, "sha256": card.sha256} if card else None,
            # What two sources say differently is not known: a law that requires it is not satisfied.
            "artifacts": known,
            "git": {"commit": git.commit, "dirty": git.dirty} if git else None,
            "conflicts": list(conflicts),
        },
        files=tuple(files.values()),
        reason="; ".join(
            [
                *conflicts,
                *([] if git else [f"no git commit: {git_reason}"]),
                *(
                    f"no digest can be taken of {written}: it is not a file here"
                    for written in dict.fromkeys(elsewhere)
                ),
            ]
        ),
    )


def masked(values: Mapping[str, str]) -> dict[str, Json]:
    """Tags or parameters without the values that look like secrets, by their key, and without users in URLs."""
    return {key: MASK if _is_secret(key) else _USER.sub(f"://{MASK}@", value) for key, value in sorted(values.items())}


def _is_secret(key: str) -> bool:
    return _SECRET.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()) is not None


def _model(context: Context, model: LoadedModel | None) -> dict[str, Json] | None:
    named = context.facts.model
    if model is None:
        return {"name": named.name or context.facts.project, "version": named.version or None, "registered": False}
    source = model.source
    own_tags = {key: value for key, value in source.run_tags.items() if not key.startswith("mlflow.")}
    return {
        "name": source.name or named.name or context.facts.project,
        "version": source.version or named.version or None,
        "uri": _USER.sub(f"://{MASK}@", source.uri),
        "flavor": model.flavor,
        "registered": source.registered,
        "aliases": list(source.aliases),
        "tags": masked({**own_tags, **source.version_tags}),
        "params": masked(source.run_params),
        "run_id": source.run_id or None,
    }


def _proxies(context: Context) -> dict[str, Json] | None:
    declared = context.facts.data.proxies
    return None if declared is None else {"count": len(declared), "features": [asdict(proxy) for proxy in declared]}


def _features(context: Context, model: LoadedModel | None) -> list[Json] | None:
    """The model's own account of its inputs; what compliance.yaml says counts only where the model says nothing."""
    if model and model.signature:
        return [{"name": feature.name, "type": feature.type} for feature in model.signature]
    try:
        own = model.features if model else ()
    except EvaluationError:
        # A model that cannot be opened has unknown inputs, whatever is said of it elsewhere.
        return None
    names = [feature.name for feature in own] or list(context.facts.model.features)
    return [{"name": name} for name in names] or None


def _artifacts(
    model: LoadedModel | None,
    model_files: tuple[FileDigest, ...],
    data_files: Mapping[str, tuple[FileDigest, ...]],
    git: GitState | None,
) -> dict[str, Json]:
    found = {name: _left_by_training(model, keys) for name, keys in _LEFT_BY_TRAINING.items()}
    for role in ("raw", "training"):
        files = data_files[role]
        if files and found["raw_data_hash"] is None:
            found["raw_data_hash"] = {"value": _one_digest(files), "source": f"sha256 of {_names(files)}"}
    if git:
        for name in ("processing_code_commit", "git_commit"):
            found[name] = found[name] or {"value": git.commit, "source": "git"}
    if model_files:
        digest = listing_digest(model_files)
        found["model_sha256"] = {"value": digest, "source": "sha256 over the list of the model's files"}
    return {name: value for name, value in sorted(found.items()) if value is not None}


def _left_by_training(model: LoadedModel | None, keys: tuple[str, ...]) -> Mapping[str, Json] | None:
    if model is None:
        return None
    source = model.source
    places = {
        "model version tag": source.version_tags,
        "run tag": source.run_tags,
        "run parameter": source.run_params,
    }
    for key in keys:
        for place, values in places.items():
            if values.get(key, "").strip():
                return {"value": values[key].strip(), "source": f"{place} {key}"}
    return None


def _conflicts(
    context: Context, model: LoadedModel | None, artifacts: Mapping[str, Json], raw: tuple[FileDigest, ...]
) -> tuple[str, ...]:
    """What two sources say differently: evidence that contradicts itself is worth a look."""
    found = []
    claimed = artifacts.get("raw_data_hash")
    if raw and isinstance(claimed, Mapping) and _bare(claimed["value"]) != _one_digest(raw):
        found.append(
            f"raw_data_hash: {claimed['source']} says {claimed['value']}, {_names(raw)} has {_one_digest(raw)}"
        )
    named, source = context.facts.model, model.source if model else None
    for what, said, known in (
        ("name", named.name, source.name if source else ""),
        ("version", named.version, source.version if source else ""),
    ):
        if said and known and said != known:
            found.append(f"model.{what}: compliance.yaml says {said}, the registry says {known}")
    signature = [feature.name for feature in model.signature] if model else []
    if signature and named.features and set(signature) != set(named.features):
        differing = ", ".join(sorted(set(signature) ^ set(named.features)))
        found.append(f"model.features: compliance.yaml and the model's signature differ in {differing}")
    return tuple(found)


def _bare(value: Json) -> str:
    return str(value).lower().removeprefix("sha256:")


def _git(folder: Path) -> tuple[GitState | None, str]:
    try:
        return git_state(folder), ""
    except NoGitError as reason:
        return None, str(reason)


def _data_files(folder: Path, written: str | None, backend: str) -> tuple[FileDigest, ...]:
    """The digests of the files behind a path; of an object store's URL and a backend's table there is none to take."""
    if not written or is_remote(written, backend):
        return ()
    return tuple(file_digest(source.path, source.name) for source in files_of(folder, written))


def _one_digest(files: tuple[FileDigest, ...]) -> str:
    """The file's own sha256, or that of the list of several files."""
    return files[0].sha256 if len(files) == 1 else listing_digest(files)


def _names(files: tuple[FileDigest, ...]) -> str:
    return files[0].path if len(files) == 1 else f"the list of {len(files)} files from {files[0].path} on"


def _card(context: Context) -> FileDigest | None:
    """The data card, if the facts name one that is there and says something."""
    written = context.facts.model.data_card
    path = context.folder / written
    return file_digest(path, written) if written and path.is_file() and path.stat().st_size else None
