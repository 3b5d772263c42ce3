"""Workloads that the cluster has to admit or deny, one for each way to break a rule alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

ADMITTED, UNKNOWN = "a" * 64, "b" * 64
DECISION = "d" * 64
LIST = {f"sha256.{ADMITTED}": DECISION}
IMAGE = f"registry.example.org/credit@sha256:{ADMITTED}"
KINDS = {
    "Pod": "v1", "ReplicationController": "v1", "DaemonSet": "apps/v1", "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1", "StatefulSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1",
}  # fmt: skip

MALFORMED = "this is no workload with containers that the policy knows"
TIER = "the label compliance-tier of the pod has none of the allowed values: {}"
ROOT = "containers may run as root; set runAsNonRoot: true, and no runAsUser: 0: {}"
ESCALATION = "containers may gain privileges; set allowPrivilegeEscalation: false: {}"
PRIVILEGED = "containers are privileged: {}"
WRITABLE = "containers may write to their root; set readOnlyRootFilesystem: true: {}"
CAPABILITIES = "containers keep capabilities; set capabilities: {{drop: [ALL]}}, and add none: {}"
UNPINNED = "images are not named by their digest: {}"
UNLIMITED = "containers have no limit of CPU or memory: {}"
SHARED = "the pod shares the host's namespaces: {}"
HOST_PATH = "volumes are of the host: {}"
UNADMITTED = "no decision in ml-compliance/admitted-images allows the images: {}"


@dataclass(frozen=True)
class Case:
    """A workload, and what is said against it; None where something is, in whatever words of an engine's own."""

    name: str
    workload: Document
    said: tuple[str, ...] | None = ()


def container(name: Any = "model", image: Any = IMAGE, **changes: Any) -> Document:
    """A container that nothing is wrong with, and what is wrong with this one; None takes a key out."""
    security = {
        "runAsNonRoot": True, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    start = {"name": name, "image": image, "securityContext": security,
             "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}  # fmt: skip
    return without_none({**start, **changes})


def secured(name: Any = "model", **changes: Any) -> Document:
    """A container with another securityContext."""
    found = container(name)
    return {**found, "securityContext": without_none({**found["securityContext"], **changes})}


def limited(**limits: Any) -> Document:
    return container(resources={"limits": limits})


def without_none(found: Document) -> Document:
    return {key: value for key, value in found.items() if value is not None}


def mounted(reference: Any, **changes: Any) -> list[Document]:
    """A volume that is an image."""
    image = {"reference": reference, "pullPolicy": "IfNotPresent", **changes}
    return [{"name": "tmp", "emptyDir": {}}, {"name": "weights", "image": without_none(image)}]


def pod(*containers: Any, **changes: Any) -> Document:
    """The spec of a pod."""
    return {"containers": list(containers or (container(),)), **changes}


def workload(kind: str, spec: Any, tier: Any = "high-risk") -> Document:
    """A workload of the kind, whose pod has the spec; it is named when it becomes a case."""
    labels = {} if tier is None else {"labels": {"compliance-tier": tier}}
    made: Document = {"metadata": labels, "spec": spec}
    if kind == "CronJob":
        made = {"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": made}}}}
    elif kind != "Pod":
        made = {"spec": {"template": made}}
    return {"apiVersion": KINDS.get(kind, "example.org/v1"), "kind": kind, **made}


def case(name: str, made: Document, *said: str) -> Case:
    metadata = {**made.get("metadata", {}), "name": name, "namespace": "ml-production"}
    return Case(name, {**made, "metadata": metadata}, said)


def denied_somehow(name: str, made: Document) -> Case:
    return Case(name, case(name, made).workload, None)


def deployment(*containers: Document, **changes: Any) -> Document:
    return workload("Deployment", pod(*containers, **changes))


PLAIN = secured(runAsNonRoot=None)
DEBUGGER = container("debugger", resources=None)

ALLOWED = (
    *(case(f"a-{kind.lower()}", workload(kind, pod())) for kind in KINDS),
    *(case(f"tier-{tier}", workload("Pod", pod(), tier)) for tier in ("limited-risk", "minimal-risk")),
    case("non-root-by-the-pod", deployment(PLAIN, securityContext={"runAsNonRoot": True})),
    case("user-of-the-container", deployment(secured(runAsUser=65532), securityContext={"runAsUser": 0})),
    case("user-of-the-pod", deployment(securityContext={"runAsUser": 65532})),
    case("not-privileged-in-words", deployment(secured(privileged=False))),
    case("no-capability-in-words", deployment(secured(capabilities={"drop": ["ALL"], "add": []}))),
    case("own-namespaces-in-words", deployment(hostNetwork=False, hostPID=False, hostIPC=False)),
    case("init-container", deployment(initContainers=[container("loader")])),
    case("sidecar", deployment(initContainers=[container("proxy", restartPolicy="Always")])),
    case("ephemeral-container", workload("Pod", pod(ephemeralContainers=[DEBUGGER]))),
    case("tag-and-digest", deployment(container(image=f"registry.example.org:5000/credit:1.2@sha256:{ADMITTED}"))),
    case("volumes", deployment(volumes=[{"name": "tmp", "emptyDir": {}}, {"name": "v", "configMap": {"name": "v"}}])),
    case("image-volume", deployment(volumes=mounted(IMAGE))),
    *(case(f"limit-{place}", deployment(limited(cpu=cpu, memory=memory))) for place, (cpu, memory) in enumerate(
        (("500m", "512Mi"), (2, 1073741824), (0.5, "0.5G"), ("1e-1", "1E9"), ("10", "100M")))),
    case("thirty-containers", deployment(*(container(f"c{place}") for place in range(30)))),
)  # fmt: skip

# One of each kind, each rule broken alone.
ALONE = (
    case("no-tier", workload("Pod", pod(), None), TIER.format("(none)")),
    case("other-tier", workload("CronJob", pod(), "secret"), TIER.format("secret")),
    case("root-by-default", workload("Deployment", pod(PLAIN)), ROOT.format("model")),
    case("root-of-the-container", deployment(secured(runAsNonRoot=False), securityContext={"runAsNonRoot": True}),
         ROOT.format("model")),
    case("root-by-number", workload("StatefulSet", pod(secured(runAsUser=0))), ROOT.format("model")),
    case("root-by-number-of-the-pod", deployment(securityContext={"runAsUser": 0}), ROOT.format("model")),
    case("escalation", workload("Job", pod(secured(allowPrivilegeEscalation=True))), ESCALATION.format("model")),
    case("escalation-by-default", deployment(secured(allowPrivilegeEscalation=None)), ESCALATION.format("model")),
    case("privileged", workload("DaemonSet", pod(secured(privileged=True))), PRIVILEGED.format("model")),
    case("writable", workload("ReplicaSet", pod(secured(readOnlyRootFilesystem=False))), WRITABLE.format("model")),
    case("writable-by-default", deployment(secured(readOnlyRootFilesystem=None)), WRITABLE.format("model")),
    case("capabilities", workload("ReplicationController", pod(secured(capabilities=None))),
         CAPABILITIES.format("model")),
    case("one-capability-dropped", deployment(secured(capabilities={"drop": ["NET_RAW"]})),
         CAPABILITIES.format("model")),
    case("capability-added", deployment(secured(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]})),
         CAPABILITIES.format("model")),
    case("tag", workload("CronJob", pod(container(image="registry.example.org/credit:1.2"))),
         UNPINNED.format("model")),
    case("no-image", deployment(container(image=None)), UNPINNED.format("model")),
    case("digest-cut-off", deployment(container(image=IMAGE[:-1])), UNPINNED.format("model")),
    case("two-digests", deployment(container(image=f"{IMAGE}@sha256:{ADMITTED}")), UNPINNED.format("model")),
    case("digest-and-a-line", deployment(container(image=f"{IMAGE}\n")), UNPINNED.format("model")),
    *(case(f"image-volume-{place}", deployment(volumes=mounted(image)), UNPINNED.format("volume weights"))
      for place, image in enumerate(("weights:1", "", None, IMAGE[:-1], f"{IMAGE}\n", f"{IMAGE}@sha256:{ADMITTED}"))),
    case("container-and-image-volume", deployment(container(image="credit:1"), volumes=mounted("weights:1")),
         UNPINNED.format("model, volume weights")),
    case("image-volume-of-nothing", workload("Pod", pod(volumes=[{"name": "weights", "image": {}}])),
         UNPINNED.format("volume weights")),
    case("no-limits", deployment(container(resources=None)), UNLIMITED.format("model")),
    case("no-limit-of-cpu", deployment(limited(memory="1Gi")), UNLIMITED.format("model")),
    case("no-limit-of-memory", deployment(limited(cpu=1)), UNLIMITED.format("model")),
    *(case(f"limit-of-nothing-{place}", deployment(limited(cpu=value, memory="1Gi")), UNLIMITED.format("model"))
      for place, value in enumerate((0, "0", "0m", "0.0", "0e3", "", "-1", 0.0, True, "1 ", "one"))),
    *(case(f"host-{place}", workload("Pod", pod(**{key: True})), SHARED.format(key))
      for place, key in enumerate(("hostNetwork", "hostPID", "hostIPC"))),
    case("host-path", workload("DaemonSet", pod(volumes=[{"name": "host", "hostPath": {"path": "/"}}])),
         HOST_PATH.format("host")),
    case("init-container-as-root", deployment(initContainers=[secured("loader", runAsUser=0)]), ROOT.format("loader")),
    case("init-container-without-limits", deployment(initContainers=[container("loader", resources=None)]),
         UNLIMITED.format("loader")),
    case("privileged-debugger", workload("Pod", pod(ephemeralContainers=[
        {**secured("debugger", privileged=True), "resources": {}}])), PRIVILEGED.format("debugger")),
    case("second-and-third-container", deployment(container("a"), secured("b", privileged=True),
                                                  secured("c", privileged=True)), PRIVILEGED.format("b, c")),
    case("no-containers", workload("Pod", {"containers": []}), MALFORMED),
    case("a-deployment-of-pods", workload("Deployment", {}), MALFORMED),
)  # fmt: skip

# Every rule at once.
ALL_WRONG = workload("Deployment", pod(
    {"name": "model", "image": "credit", "securityContext": {"privileged": True}}, hostPID=True,
    volumes=[{"name": "host", "hostPath": {"path": "/"}}],
), None)  # fmt: skip
EVERY_RULE = case("all-wrong", ALL_WRONG, TIER.format("(none)"), SHARED.format("hostPID"), HOST_PATH.format("host"),
                  *(rule.format("model") for rule in (ROOT, ESCALATION, PRIVILEGED, WRITABLE, CAPABILITIES, UNPINNED,
                                                      UNLIMITED)))  # fmt: skip

# What the API server refuses by itself; the policies do not rest on that.
WRONG_SPECS: tuple[Any, ...] = (None, "spec", [], 5, {"containers": "c"}, {"containers": {"a": container()}})
WRONG_LISTS: tuple[Any, ...] = ("x", {"a": container("x")}, ["x"], 5)
WRONG_NAMES: tuple[Any, ...] = (5, ["weights"], {"a": "b"}, True)
WRONG_VOLUMES: tuple[Any, ...] = (
    *(mounted(reference) for reference in (5, True, [IMAGE], {"a": IMAGE})),
    *([{"name": "weights", "image": image}] for image in ("x", 5, IMAGE, [IMAGE], [{"reference": IMAGE}])),
    *([{"name": name, "image": {"reference": "weights:1"}}] for name in WRONG_NAMES),
    [{"image": {"reference": "weights:1"}}], [{"hostPath": {"path": "/"}}], [{"name": 5, "hostPath": {"path": "/"}}],
)  # fmt: skip
WRONG_TYPES = tuple(denied_somehow(f"wrong-{place}", made) for place, made in enumerate((
    *(workload("Pod", spec) for spec in WRONG_SPECS),
    *(workload("Pod", pod(one)) for one in ("model", None, without_none({**container(), "name": None}))),
    *(workload("Pod", {**pod(), key: wrong}) for key in ("initContainers", "ephemeralContainers", "volumes")
      for wrong in WRONG_LISTS),
    *(workload("Pod", pod(volumes=volumes)) for volumes in WRONG_VOLUMES),
    *(workload("Pod", pod(**{key: "true"})) for key in ("hostNetwork", "hostPID", "hostIPC", "securityContext")),
    *(deployment(secured(**{key: wrong})) for key, wrong in (
        ("runAsNonRoot", "true"), ("runAsUser", "65532"), ("runAsUser", True), ("runAsUser", -1),
        ("allowPrivilegeEscalation", "false"), ("privileged", "false"), ("readOnlyRootFilesystem", "true"),
        ("capabilities", {"drop": "ALL"}), ("capabilities", {"drop": {"ALL": True}}), ("capabilities", ["ALL"]),
        ("capabilities", {"drop": {"a": "ALL"}}), ("capabilities", {"drop": ["ALL"], "add": ""}),
        ("capabilities", {"drop": ["all"]}))),
    *(deployment(container(**{key: wrong})) for key, wrong in (
        ("securityContext", "x"), ("securityContext", [1]), ("image", 5), ("image", [IMAGE]), ("resources", "x"),
        ("resources", {"limits": {"cpu": [1], "memory": "1Gi"}}),
        ("resources", {"limits": ["cpu", "memory"]}))),
    *(workload("Pod", pod(), tier) for tier in (5, True, ["high-risk"], {"a": "high-risk"}, "", "high-risk ")),
    {**workload("Pod", pod()), "apiVersion": "v2"},
    {**workload("Deployment", pod()), "spec": "x"},
    {"apiVersion": "v1", "kind": "Pod"},
)))  # fmt: skip

# What the policies do not know, but are made to match.
UNKNOWN_KINDS = (
    case("unknown-kind", workload("Model", pod()), MALFORMED),
    case("unknown-group", {**workload("Deployment", pod()), "apiVersion": "example.org/v1"}, MALFORMED),
)


def _images(*images: Any) -> Document:
    return deployment(*(container(f"c{place}", image) for place, image in enumerate(images)))


ADMITTED_IMAGES = (
    *(case(f"admitted-{kind.lower()}", workload(kind, pod(initContainers=[container("loader")]))) for kind in KINDS),
    case("admitted-debugger", workload("Pod", pod(ephemeralContainers=[container("debugger")]))),
    case("admitted-volume", workload("Pod", pod(volumes=mounted(IMAGE)))),
    case("admitted-elsewhere", _images(IMAGE, f"mirror.example.org/x:latest@sha256:{ADMITTED}")),
)  # fmt: skip
OTHER = f"registry.example.org/credit@sha256:{UNKNOWN}"
UNADMITTED_IMAGES = (
    *(case(f"unadmitted-{kind.lower()}", workload(kind, pod(container(image=OTHER))), UNADMITTED.format("model"))
      for kind in KINDS),
    case("unadmitted-loader", deployment(initContainers=[container("loader", OTHER)]), UNADMITTED.format("loader")),
    case("unadmitted-debugger", workload("Pod", pod(ephemeralContainers=[container("debugger", OTHER)])),
         UNADMITTED.format("debugger")),
    *(case(f"unadmitted-image-{place}", _images(IMAGE, image), UNADMITTED.format("c1")) for place, image in enumerate((
        "registry.example.org/credit:1.2", "registry.example.org/credit", f"credit:sha256.{ADMITTED}", IMAGE.upper(),
        f"{IMAGE}@sha256:{UNKNOWN}", f"{IMAGE}x", f"sha256:{ADMITTED}", f"@sha256:{ADMITTED}", f"{OTHER} {IMAGE}", "",
        f"registry.example.org/credit@sha512:{ADMITTED}"))),
    *(case(f"unadmitted-volume-{place}", workload("CronJob", pod(volumes=mounted(image))),
           UNADMITTED.format("volume weights"))
      for place, image in enumerate((OTHER, "weights:1", None, "", f"{OTHER} {IMAGE}", f"{IMAGE}x"))),
    case("unadmitted-container-and-volume", deployment(container(image=OTHER), volumes=mounted(OTHER)),
         UNADMITTED.format("model, volume weights")),
    case("unadmitted-no-containers", workload("Pod", {"containers": []}), MALFORMED),
    *(denied_somehow(f"unadmitted-wrong-{place}", workload("Pod", pod(container(image=image))))
      for place, image in enumerate((5, [IMAGE], {}, True))),
    *(denied_somehow(f"unadmitted-malformed-{place}", workload("Pod", spec)) for place, spec in enumerate((
        *WRONG_SPECS, pod(container(image=None)), pod(container(None, OTHER)), pod(container(5, OTHER)),
        *(pod(volumes=volumes) for volumes in WRONG_VOLUMES),
        *({**pod(), key: wrong} for key in ("initContainers", "ephemeralContainers", "volumes")
          for wrong in WRONG_LISTS)))),
)  # fmt: skip
