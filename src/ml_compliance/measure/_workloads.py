"""What Kubernetes manifests deploy: every pod template in them, with its labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

# These have pods in any case; one without a pod template is not what it says.
_HAVE_PODS = frozenset({
    "Pod", "PodTemplate", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job",
    "CronJob",
})  # fmt: skip
# KServe makes the pods, and hands them the labels of the service.
_HAND_ON = frozenset({"InferenceService"})
_SUFFIXES = (".yaml", ".yml", ".json")
_DEEPEST = 100


@dataclass(frozen=True)
class Workload:
    """A pod, or what makes pods: its kind and name, and the names of the labels that its pods get."""

    workload: str
    labels: tuple[str, ...]


def may_describe(name: str) -> bool:
    """Whether a file of this name may be a manifest."""
    return PurePath(name).suffix.lower() in _SUFFIXES


def workloads(text: str) -> tuple[Workload, ...]:
    """Every workload in all documents of a manifest, in their order.

    Raises ValueError where something cannot be read: no plain YAML, such as a template, or a workload without pods.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        documents = list(YAML(typ="safe", pure=True).load_all(text))
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"it is no plain YAML: {str(error).splitlines()[0][:200]}") from error
    return tuple(found for document in documents for one in _objects(document, 0) for found in _of_object(one))


def _objects(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """The objects of Kubernetes in a document, and in the lists of them."""
    if depth > _DEEPEST:
        raise ValueError("its lists are nested too deep")
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        return
    if value["kind"].endswith("List") and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _objects(item, depth + 1)
    else:
        yield value


def _of_object(found: Mapping[str, Any]) -> Iterator[Workload]:
    kind, described = found["kind"], found.get("metadata")
    name = described.get("name") if isinstance(described, Mapping) else None
    called = " ".join((kind, *((name,) if isinstance(name, str) else ())))
    templates = list(_templates(found, set(), 0))
    if kind in _HAND_ON:
        templates.append(found)
    if not templates and kind in _HAVE_PODS:
        raise ValueError(f"{called} has no pod template with containers")
    for template in templates:
        yield Workload(called, _labels(template))


def _templates(value: Any, seen: set[int], depth: int) -> Iterator[Mapping[str, Any]]:
    """Whatever has a `spec` with `containers`, however deep: so do pods and pod templates of every kind."""
    # An alias stands for the same thing again, and may stand for what it is in.
    if id(value) in seen or not isinstance(value, Mapping | list):
        return
    if depth > _DEEPEST:
        raise ValueError("it is nested too deep")
    seen.add(id(value))
    if isinstance(value, Mapping):
        spec = value.get("spec")
        if isinstance(spec, Mapping) and isinstance(spec.get("containers"), list):
            yield value
    for inner in value.values() if isinstance(value, Mapping) else value:
        yield from _templates(inner, seen, depth + 1)


def _labels(template: Mapping[str, Any]) -> tuple[str, ...]:
    described = template.get("metadata")
    labels = described.get("labels") if isinstance(described, Mapping) else None
    if not isinstance(labels, Mapping):
        return ()
    texts = {key: value for key, value in labels.items() if isinstance(key, str) and isinstance(value, str)}
    # What a template engine still has to fill in may turn out empty.
    return tuple(sorted(key for key, value in texts.items() if value.strip() and "{{" not in value))
