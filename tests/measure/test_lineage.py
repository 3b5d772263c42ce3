"""Lineage: everything that can be known is there with its source, secrets are not, and MLflow is optional."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_compliance.context import Context
from ml_compliance.errors import EvaluationError, UsageError
from ml_compliance.facts import Data, Facts, Model, NoSettings
from ml_compliance.measure._digests import listing_digest
from ml_compliance.measure.lineage import MASK, masked, measure
from ml_compliance.model import Evidence
from tests.mlflow_store import RAW_HASH, store

DATA = b"a,y\n1,0\n2,1\n"
DIGEST = hashlib.sha256(DATA).hexdigest()


def traced(tmp_path: Path, model: Model | None = None, **data: str) -> Evidence:
    (tmp_path / "test.csv").write_bytes(DATA)
    facts = Facts("loans", Data("test.csv", "y", **cast(Any, data)), model or Model())
    with closing(Context(facts, None, tmp_path, tmp_path / "out")) as context:
        return measure(context, NoSettings())


def facts_of(evidence: Evidence) -> Any:
    return cast(Any, evidence.facts)


def linear(**more: Any) -> Model:
    return Model(uri="models:/linear/1", tracking_uri=store().uri, **more)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_registered_model_brings_its_run_along(tmp_path: Path) -> None:
    facts = facts_of(traced(tmp_path, linear()))
    assert facts["model"] == {
        "name": "linear", "version": "1", "uri": "models:/linear/1", "flavor": "sklearn", "registered": True,
        "aliases": ["champion"], "run_id": store().run_ids["linear"],
        "tags": {"api_token": MASK, "owner": "credit-risk", "feature_store_version": "v7",
                 "lineage.source_data_hash": "b" * 64},
        "params": {"C": "1.0", "raw_data_sha256": RAW_HASH, "database_url": f"https://{MASK}@db.example/x"},
    }  # fmt: skip
    assert facts["training_features"] == [{"name": name, "type": "double"} for name in "abc"]
    artifacts = facts["artifacts"]
    assert artifacts["raw_data_hash"] == {"value": RAW_HASH, "source": "run parameter raw_data_sha256"}
    assert artifacts["feature_store_version"] == {"value": "v7", "source": "run tag feature_store_version"}
    assert artifacts["source_data_hash"] == {"value": "b" * 64, "source": "run tag lineage.source_data_hash"}


def test_model_files_and_data_files_have_digests(tmp_path: Path) -> None:
    evidence = traced(tmp_path, linear())
    files = {file.path: file for file in evidence.files}
    assert {"model/MLmodel", "model/model.pkl", "test.csv"} <= set(files)
    assert (files["test.csv"].sha256, files["test.csv"].size) == (DIGEST, len(DATA))
    model_files = tuple(file for file in evidence.files if file.path.startswith("model/"))
    assert facts_of(evidence)["artifacts"]["model_sha256"]["value"] == listing_digest(model_files)


def test_one_changed_byte_of_the_model_changes_its_digest(tmp_path: Path) -> None:
    import shutil

    from ml_compliance.engine.models import load

    shutil.copytree(load("models:/linear/1", store().uri, Path()).source.folder, tmp_path / "m")
    first = facts_of(traced(tmp_path, Model(uri="m")))["artifacts"]["model_sha256"]
    (tmp_path / "m" / "requirements.txt").write_text("scikit-learn<9\n")
    assert facts_of(traced(tmp_path, Model(uri="m")))["artifacts"]["model_sha256"] != first


def test_without_mlflow_files_and_git_remain(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_bytes(b"raw")
    facts = facts_of(traced(tmp_path, raw="raw.csv"))
    assert facts["model"] == {"name": "loans", "version": None, "registered": False}
    assert facts["artifacts"]["raw_data_hash"] == {
        "value": hashlib.sha256(b"raw").hexdigest(), "source": "sha256 of raw.csv",
    }  # fmt: skip
    assert facts["training_features"] is None


def test_mlflow_is_not_imported_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_bytes(DATA)
    code = (
        "import sys; from pathlib import Path; from ml_compliance.context import Context\n"
        "from ml_compliance.facts import Data, Facts, NoSettings; from ml_compliance.measure.lineage import measure\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "measure(Context(Facts('p', Data('test.csv', 'y')), None, folder, folder), NoSettings())\n"
        "print(sorted({'mlflow', 'pandas', 'sklearn', 'ibis'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_commit_is_named_and_a_changed_file_makes_it_dirty(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "test.csv").write_bytes(DATA)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "untracked.txt").touch()
    facts = facts_of(traced(tmp_path))
    assert facts["git"] == {"commit": head, "dirty": False}
    assert facts["artifacts"]["processing_code_commit"] == {"value": head, "source": "git"}
    git(tmp_path, "rm", "-q", "--cached", "test.csv")
    assert facts_of(traced(tmp_path))["git"]["dirty"] is True


@pytest.mark.parametrize("empty_repository", [True, False])
def test_no_commit_is_said_and_nothing_is_made_up(empty_repository: bool, tmp_path: Path) -> None:
    if empty_repository:
        git(tmp_path, "init", "-q")
    evidence = traced(tmp_path)
    assert evidence.status == "measured"
    assert facts_of(evidence)["git"] is None
    assert "processing_code_commit" not in facts_of(evidence)["artifacts"]
    assert evidence.reason.startswith("no git commit: ")


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert traced(tmp_path).reason == "no git commit: git is not installed"


def test_sources_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_bytes(b"raw")
    model = linear(name="other", version="7", features=("a", "z"))
    evidence = traced(tmp_path, model, raw="raw.csv")
    conflicts = facts_of(evidence)["conflicts"]
    assert [conflict.partition(":")[0] for conflict in conflicts] == [
        "raw_data_hash", "model.name", "model.version", "model.features",
    ]  # fmt: skip
    assert RAW_HASH in conflicts[0]
    assert conflicts[0] in evidence.reason
    assert "raw_data_hash" not in facts_of(evidence)["artifacts"]


@pytest.mark.parametrize(("content", "there"), [(b"# Data card\n", True), (b"", False), (None, False)])
def test_a_data_card_counts_when_it_has_content(content: bytes | None, there: bool, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "card.md").write_bytes(content)
    card = facts_of(traced(tmp_path, Model(data_card="card.md")))["data_card"]
    expected = {"path": "card.md", "sha256": hashlib.sha256(content or b"").hexdigest()}
    assert card == (expected if there else None)


def test_a_data_file_that_is_not_there_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.csv: the table does not exist"):
        traced(tmp_path, training="gone.csv")


def test_a_server_that_is_down_is_an_error_and_no_empty_lineage(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="127"):
        traced(tmp_path, Model(uri="models:/linear/1", tracking_uri="http://127.0.0.1:9"))


@pytest.mark.parametrize(
    "key", ["password", "DB_PASSWD", "apiKey", "aws.secret.id", "HF_TOKEN", "private_key", "credentials"]
)
def test_secrets_are_masked(key: str) -> None:
    assert masked({key: "hunter2"}) == {key: MASK}


@pytest.mark.parametrize("key", ["monkey", "keyboard", "n_estimators", "owner", "compass"])
def test_ordinary_words_are_not_masked(key: str) -> None:
    assert masked({key: "x"}) == {key: "x"}


@given(st.dictionaries(st.text(), st.text()))
def test_masking_keeps_every_key(values: dict[str, str]) -> None:
    assert list(masked(values)) == sorted(values)


def test_a_declaration_of_proxies_says_how_many_there_are(tmp_path: Path) -> None:
    from ml_compliance.facts import Proxy

    assert facts_of(traced(tmp_path))["proxies"] is None
    none = cast(Any, {"proxies": ()})
    assert facts_of(traced(tmp_path, **none))["proxies"] == {"count": 0, "features": []}
    one = cast(Any, {"proxies": (Proxy("zip", "race", "risk"),)})
    declared = facts_of(traced(tmp_path, **one))["proxies"]
    assert declared == {"count": 1, "features": [{"feature": "zip", "of": "race", "reason": "risk"}]}
