"""Whether the rules moved with the result: what a model's change set changes in law, policy and waivers."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ml_compliance import git
from ml_compliance.errors import UsageError
from ml_compliance.files import read_json
from ml_compliance.law import DEFAULT_LAW
from ml_compliance.model import LawChange, LawChanges
from ml_compliance.yaml_file import read_yaml

# What the facts say of who judges by which rules and records it, and of what makes any limit of the law weaker.
_NAMED = (
    "policy", "rego", "rego_key", "waivers", "engine", "server", "record", "approvals", "measure", "scanner",
    "champion", "deployment", "image.vex", "model.tracking_uri", "data.label", "data.task", "data.id", "data.sensitive",
    "data.reference", "data.proxies",
)  # fmt: skip
_BASES = {"GITHUB_BASE_REF": "origin/", "CI_MERGE_REQUEST_DIFF_BASE_SHA": ""}
# GitHub sets GITHUB_BASE_REF for two of these. The base_sha of a group may be the group before it, not merged yet.
_BASES_OF_EVENTS = {
    "merge_group": "merge_group.base_ref",
    **dict.fromkeys(
        ("pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"),
        "pull_request.base.ref",
    ),
}
_LARGER_IS_LOOSER = {"maximum", "margin", "relative_margin", "max_failed_expectations", "threshold"}
_SMALLER_IS_LOOSER = {"minimum", "min_improvement", "min_relative_improvement"}
_Effect = Literal["loosened", "tightened", "changed"]


def base_of(environment: Mapping[str, str]) -> str:
    """The branch or commit that a CI platform says the change set will be merged into; empty when there is no such.

    Raises UsageError where an event of GitHub is about a change set, and its file does not say so.
    """
    named = next((start + environment[name] for name, start in _BASES.items() if environment.get(name)), "")
    return named or _base_of_event(environment.get("GITHUB_EVENT_NAME", ""), environment.get("GITHUB_EVENT_PATH", ""))


def _base_of_event(name: str, place: str) -> str:
    if name not in _BASES_OF_EVENTS:
        return ""
    remedy = "let GitHub Actions write this file, or name the base with --base"
    branch = _at(read_json(Path(place), remedy), _BASES_OF_EVENTS[name]) if place else None
    short = branch.removeprefix("refs/heads/") if isinstance(branch, str) else ""
    if not short:
        raise UsageError(f"the event {name} does not say into which branch it will be merged",
                         where=place or "GITHUB_EVENT_PATH", remedy=remedy)  # fmt: skip
    return f"origin/{short}"


def law_changes(
    folder: Path, law: str, others: Sequence[str], base: str, facts: str = "", *, law_of_facts: bool = True
) -> LawChanges:
    """Compare the law and the `others` (files and folders), relative to `folder`, with what they were at `base`.

    `facts` is compliance.yaml: what it says of the rules is compared, too. If it named another law, the two laws are,
    unless `law_of_facts` says that the law is not the facts' to name. Compared is with the last commit that `base` and
    HEAD have in common. Where git, the base or a readable law is missing there, or one of these is or was in a
    submodule, the result says so.
    """
    if not base:
        return LawChanges()
    try:
        commit = git.merge_base(folder, base, [name for name in (facts, law, *others) if name])
        named = _named(read_at(folder, commit, facts)) if facts else {}
        named_now = _named(read_yaml(folder / facts, facts).data) if named else {}
        moved = {key for key in _NAMED if named.get(key) != named_now.get(key)}
        if not law_of_facts:
            moved.discard("policy")
        old = os.path.normpath(Path(facts).parent / str(named["policy"])) if "policy" in moved else law
        before = read_at(folder, commit, old)
        changed = git.changed_since(folder, commit, others)
    except git.NoGitError as error:
        return LawChanges(reason=f"{base}: {error}")
    except UsageError as error:
        return LawChanges(reason=f"{base}: {error.message}")
    now = read_yaml(folder / law, law).data if (folder / law).is_file() else {}
    switched = (
        LawChange(facts, "", key, _text(named.get(key)), _text(named_now.get(key)), "changed") for key in sorted(moved)
    )
    found = (*switched, *_changes(law, before, now), *(LawChange(name, "", "", "", "", "changed") for name in changed))
    return LawChanges(commit, found, "")


def _named(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the facts say of the rules; empty where there are no facts."""
    found = {key: _at(facts, key) for key in _NAMED}
    return {"policy": DEFAULT_LAW, **{key: value for key, value in found.items() if value is not None}} if facts else {}


def _at(facts: Any, key: str) -> Any:
    for part in key.split("."):
        facts = facts.get(part) if isinstance(facts, Mapping) else None
    return facts


def read_at(folder: Path, commit: str, name: str) -> dict[str, Any]:
    """What the YAML file `name`, relative to `folder`, held at `commit`; nothing where it was not there.

    Raises NoGitError when git does not answer, UsageError when it was no YAML.
    """
    text = git.text_at(folder, commit, name)
    if text is None:
        return {}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "law.yaml"
        path.write_text(text, encoding="utf-8")
        return read_yaml(path, name).data


def _changes(file: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[LawChange]:
    for key in sorted((before.keys() | now.keys()) - {"policies"}):
        if before.get(key) != now.get(key):
            yield LawChange(file, "", key, _text(before.get(key)), _text(now.get(key)), "changed")
    old, new = _items(before), _items(now)
    for policy in sorted(old.keys() | new.keys()):
        if policy not in new:
            yield LawChange(file, policy, "", _text(old[policy]), "", "loosened")
        elif policy not in old:
            yield LawChange(file, policy, "", "", _text(new[policy]), "tightened")
        else:
            yield from _keys(file, policy, old[policy], new[policy])


def _keys(file: str, policy: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[LawChange]:
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            effect = _effect(key, str(new.get("metric", "")), old.get(key), new.get(key))
            yield LawChange(file, policy, key, _text(old.get(key)), _text(new.get(key)), effect)


def _effect(key: str, metric: str, old: Any, new: Any) -> _Effect:
    ratio = key == "threshold" and metric.endswith(("_ratio", "_ratio_mean")) and metric != "group_loss_ratio"
    if key not in _LARGER_IS_LOOSER | _SMALLER_IS_LOOSER:
        return "changed"
    if old is None or new is None:
        return "tightened" if old is None else "loosened"
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return "changed"
    larger_is_looser = key in _LARGER_IS_LOOSER and not ratio
    return "loosened" if (new > old) == larger_is_looser else "tightened"


def _items(law: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    policies = law.get("policies")
    listed = policies if isinstance(policies, list) else []
    return {str(item.get("id")): item for item in listed if isinstance(item, Mapping)}


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)
