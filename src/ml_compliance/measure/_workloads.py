"""What Kubernetes manifests deploy: every object in them, and every pod template with its labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ml_compliance.measure._manifest import documents

_TEMPLATE = ("spec", "template")
# Where the pods are that Trivy's checks look at; those of other kinds it does not know.
_PODS_OF = {
    "Pod": (),
    "Deployment": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "ReplicationController": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
}
# These have pods in any case; one without a pod template is not what it says.
_HAVE_PODS = frozenset({*_PODS_OF, "PodTemplate"})
# KServe makes the pods, and hands them the labels of the service.
_HAND_ON = frozenset({"InferenceService"})
_SUFFIXES = (".yaml", ".yml", ".json")
_DEEPEST = 100


@dataclass(frozen=True)
class Workload:
    """A pod, or what makes pods: its kind and name, and the names of the labels that its pods get."""

    workload: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """A file's workloads, its objects, and whether it has nothing but objects.

    Each object has its line and stands alone, in a form that Trivy knows: pods of kinds that it does not know are there
    once more as Pods.
    """

    workloads: tuple[Workload, ...]
    objects: tuple[tuple[int, Mapping[str, Any]], ...]
    whole: bool


def may_describe(name: str) -> bool:
    """Whether a file of this name may be a manifest."""
    return PurePath(name).suffix.lower() in _SUFFIXES


def read(text: str) -> Manifest:
    """What all documents of a manifest describe, in their order.

    Raises ValueError where something cannot be read: no plain YAML, such as a template, or a workload without pods.
    """
    found = [document for document in documents(text) if document is not None]
    objects = [one for document in found for one in _objects(document, 0)]
    return Manifest(
        tuple(workload for one in objects for workload in _of_object(one)),
        tuple(alone for one in objects for alone in _alone(one)),
        bool(objects) and all(isinstance(document, Mapping) and isinstance(document.get("kind"), str)
                              for document in found),
    )  # fmt: skip


def _objects(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """The objects of Kubernetes in a document, and in the lists of them."""
    if depth > _DEEPEST:
        raise ValueError("its lists are nested too deep")
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        return
    is_list = value["kind"].endswith("List") and isinstance(value.get("items"), list)
    if is_list:
        for item in value["items"]:
            yield from _objects(item, depth + 1)
    if not is_list or "spec" in value:
        yield value


def _of_object(found: Mapping[str, Any]) -> Iterator[Workload]:
    kind, described = found["kind"], found.get("metadata")
    name = described.get("name") if isinstance(described, Mapping) else None
    called = " ".join((kind, *((name,) if isinstance(name, str) else ())))
    templates = list(_templates(found))
    if kind in _HAND_ON:
        templates.append(found)
    if not templates and kind in _HAVE_PODS:
        raise ValueError(f"{called} has no pod template with containers")
    for template in templates:
        yield Workload(called, _labels(template))


def _alone(found: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The object, and its pods that Trivy would not find in it."""
    line = getattr(found, "line", 0)
    # Without one of these, Trivy takes it for something else.
    yield line, {"apiVersion": "v1", **found, **{key: found.get(key) or {} for key in ("metadata", "spec")}}
    place = _PODS_OF.get(found["kind"])
    known = _at(found, (*place, "spec")) if place is not None else None
    described = found.get("metadata")
    for spec in (*_pod_specs(found), *_served(found)):
        if spec is not known:
            yield (
                getattr(spec, "line", line),
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": described if isinstance(described, Mapping) else {},
                    "spec": spec,
                },
            )


def _served(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The pods of a KServe component that names a model in the place of containers."""
    parts = found.get("spec") if found["kind"] in _HAND_ON else None
    for part in parts.values() if isinstance(parts, Mapping) else ():
        if not isinstance(part, Mapping) or isinstance(part.get("containers"), list):
            continue
        servers = [
            {"name": key, **one} for key, one in part.items()
            if isinstance(one, Mapping) and (key == "model" or "storageUri" in one or "storage" in one)
        ]  # fmt: skip
        if servers:
            yield {**part, "containers": servers}


def _at(found: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _mappings(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """Every mapping in `value`, however deep."""
    if depth > _DEEPEST:
        raise ValueError("it is nested too deep")
    if isinstance(value, Mapping):
        yield value
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _mappings(inner, depth + 1)


def _templates(value: Any) -> Iterator[Mapping[str, Any]]:
    """Whatever has a `spec` with `containers`: so do pods and pod templates of every kind."""
    return (one for one in _mappings(value, 0) if isinstance(_at(one, ("spec", "containers")), list))


def _pod_specs(value: Any) -> Iterator[Mapping[str, Any]]:
    """Whatever has `containers`, also where no template is around it, as in KServe's predictors."""
    return (one for one in _mappings(value, 0) if isinstance(one.get("containers"), list))


def _labels(template: Mapping[str, Any]) -> tuple[str, ...]:
    described = template.get("metadata")
    labels = described.get("labels") if isinstance(described, Mapping) else None
    if not isinstance(labels, Mapping):
        return ()
    texts = {key: value for key, value in labels.items() if isinstance(key, str) and isinstance(value, str)}
    # What a template engine still has to fill in may turn out empty.
    return tuple(sorted(key for key, value in texts.items() if value.strip() and "{{" not in value))
