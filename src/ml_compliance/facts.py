"""compliance.yaml: the facts. Which model, which data, which columns; never what is required of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ml_compliance import plugins
from ml_compliance.deployed import Deployment, Image, Scanner
from ml_compliance.model import STRICT

FACTS_VERSION = "ml-compliance/config/v1"
Scalar = bool | int | float | str
Engine = Literal["auto", "server", "binary", "embedded"]
Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Column:
    """A column of two classes, and which of its values mean the positive one. Name one of the three."""

    __pydantic_config__ = STRICT

    column: str
    """The column's name."""
    positive: Scalar | tuple[Scalar, ...] | None = None
    """The value, or values, that mean the positive class (1 when nothing is said)."""
    negative: Scalar | tuple[Scalar, ...] | None = None
    """The value, or values, that mean the negative class; every other value is positive."""
    at_least: float | None = None
    """Numbers from here on are the positive class."""


@dataclass(frozen=True)
class Model:
    """The model that asks to be released."""

    __pydantic_config__ = STRICT

    name: str = ""
    """Its name in the report (default: the name in the URI, else the project's)."""
    version: str = ""
    """Its version in the report (default: the version in the registry)."""
    uri: str = ""
    """`models:/name/version`, `models:/name@alias`, `runs:/id/model` or the path of an MLflow model folder."""
    tracking_uri: str = ""
    """Where MLflow keeps it (default: the environment variable MLFLOW_TRACKING_URI)."""
    features: tuple[str, ...] = ()
    """Its input columns, when it has no MLflow signature that says so."""
    data_card: str = ""
    """A file that describes the training data."""


@dataclass(frozen=True)
class Proxy:
    """A feature that stands in for a sensitive attribute, and why it is used all the same."""

    __pydantic_config__ = STRICT

    feature: str
    """The feature's name."""
    of: str
    """The attribute that it stands in for."""
    reason: str
    """Why the model reads it."""


@dataclass(frozen=True)
class Data:
    """The tables, and what their columns mean."""

    __pydantic_config__ = STRICT

    evaluation: str
    """The table (.csv, .tsv, .parquet, or one of the backend's) that the model is judged on."""
    label: str | Column
    """The true class: a column of 0 and 1, or a column with its positive value."""
    task: Task = "binary"
    """What is predicted: one of two classes, one of several, or a number."""
    name: str = "evaluation"
    """The data set's name, as the law's `dataset` calls it."""
    prediction: str | Column | None = None
    """The predicted class. Without it, the model predicts."""
    score: str | None = None
    """The predicted probability of the positive class, between 0 and 1."""
    sensitive: tuple[str, ...] = ()
    """Columns whose groups must be treated alike; their intersections are measured as well."""
    proxies: tuple[Proxy, ...] | None = None
    """Features that stand in for a sensitive attribute; an empty list says that there is none."""
    id: str | None = None
    """The column that names a row (default: its number). Drift does not compare it, if the law leaves it out, too."""
    reference: str | None = None
    """A table that the data is compared with, usually the training data."""
    training: str | None = None
    """The table the model was trained on, for lineage."""
    raw: str | None = None
    """The raw data, for lineage."""
    backend: str = ""
    """The URL of an Ibis backend that reads evaluation, reference and the champion's predictions, such as
    `pyspark://?spark.master=local[2]`; `$NAME` is an environment variable (default: embedded DuckDB)."""


@dataclass(frozen=True)
class Champion:
    """The model in use, which the new one is compared with on the same rows. Name its `uri` or its `predictions`."""

    __pydantic_config__ = STRICT

    uri: str = ""
    """`models:/name@alias` or another form of model.uri; it is scored on data.evaluation."""
    predictions: str = ""
    """A table (.csv, .tsv, .parquet) of its predictions, one row for each of data.evaluation, found by data.id."""
    prediction: str | Column | None = None
    """The column of its predicted class (default: as data.prediction)."""
    score: str | None = None
    """The column of its predicted probability (default: as data.score, if the table has it)."""


@dataclass(frozen=True)
class Server:
    """An OPA server that decides."""

    __pydantic_config__ = STRICT

    url: str
    """Its address, such as https://opa.example.org:8181."""
    token_env: str = ""
    """The environment variable that holds its bearer token."""
    ca: str = ""
    """A file with the certificate authority of its TLS certificate."""
    timeout: float = 10.0
    """Seconds within which the whole answer has to be there, up to an hour."""


@dataclass(frozen=True)
class Record:
    """How decisions are recorded."""

    __pydantic_config__ = STRICT

    folder: str = ""
    """A folder, or an object store such as s3://bucket/decisions (default: decisions, in the output folder)."""
    mask: tuple[str, ...] = ()
    """What records do not show, as paths such as `input.evidence.data.facts.suites.*.expectations.*.examples`."""


@dataclass(frozen=True)
class Facts:
    """The facts about one model and its data."""

    __pydantic_config__ = STRICT

    project: str
    """The project's name."""
    data: Data
    """The tables, and what their columns mean."""
    model: Model = field(default_factory=Model)
    """The model that asks to be released."""
    champion: Champion | None = None
    """The model in use, which the new one is compared with."""
    image: Image | None = None
    """The container image that serves the model."""
    deployment: Deployment | None = None
    """The files that say how the model is deployed."""
    scanner: Scanner = field(default_factory=Scanner)
    """How Trivy is run, and from where its database of vulnerabilities comes."""
    approvals: str = ""
    """A file that says who approved which version of the model."""
    policy: str = ""
    """The law: the file that says what is required (default: compliance_policy.yaml beside this file)."""
    rego: str = ""
    """A Rego policy of your own, instead of the one that is shipped: a folder, a file, or a bundle that
    `ml-compliance policy build` made of them."""
    rego_key: str = ""
    """A PEM file with the public key that the bundle `rego` is verified with."""
    waivers: str = ""
    """Which violations are set aside for a time (default: waivers.yaml beside this file, if it is there)."""
    record: Record = field(default_factory=Record)
    """How decisions are recorded."""
    engine: Engine = "auto"
    """Which policy engine decides; auto is the server if there is one, else the opa binary, else the embedded one."""
    server: Server | None = None
    """An OPA server that decides."""
    measure: Mapping[str, Any] = field(default_factory=dict)
    """Settings of measurements, by name."""


def facts_schema() -> dict[str, Any]:
    """The JSON Schema of compliance.yaml, with the settings of every measurement that is installed."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Facts).json_schema()
    settings: dict[str, Any] = {}
    for name in plugins.names("measure"):
        part = TypeAdapter(settings_type(name)).json_schema()
        schema["$defs"].update(part.pop("$defs", {}))
        settings[name] = {**part, "description": plugins.summary("measure", name)}
    schema["$defs"]["Data"]["properties"]["sensitive"]["uniqueItems"] = True
    schema["$defs"]["Server"]["properties"]["timeout"].update(exclusiveMinimum=0, maximum=3600)
    schema["properties"]["measure"] = {
        "type": "object",
        "description": "Settings of measurements, by name.",
        "properties": settings,
        "additionalProperties": False,
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": FACTS_VERSION, **schema}


@dataclass(frozen=True)
class NoSettings:
    """A measurement without settings."""

    __pydantic_config__ = STRICT


def settings_type(name: str) -> Any:
    """The settings dataclass of one measurement."""
    return getattr(plugins.load("measure", name), "Settings", NoSettings)


def settings_of(facts: Facts, name: str) -> Any:
    """The settings of one measurement, as its own frozen dataclass."""
    from pydantic import TypeAdapter

    return TypeAdapter(settings_type(name)).validate_python(dict(facts.measure.get(name, {})))
