"""What pickles import is found without running them, wherever they hide; what must not be loaded is not."""

from __future__ import annotations

import ast
import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ml_compliance
from ml_compliance.engine.model_files import Admission, model_files, refused
from ml_compliance.engine.models import load
from ml_compliance.engine.pickles import UnreadableError, imports
from ml_compliance.errors import EvaluationError
from tests.mlflow_store import rows

NUMPY = ("numpy._core", "numpy.ndarray", "numpy.dtype", "joblib.numpy_pickle.NumpyArrayWrapper")


class Attack:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


def attacked(mark: Path) -> bytes:
    return pickle.dumps({"weights": np.arange(3.0), "then": Attack(mark)})


def _zip(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/data/0", b"\0" * 64)
    return target.getvalue()


def _tar(content: bytes, name: str = "model.pkl") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def _npy(mark: Path) -> bytes:
    target = io.BytesIO()
    np.save(target, np.array([Attack(mark)], dtype=object), allow_pickle=True)
    return target.getvalue()


def _joblib(mark: Path, compress: Any = 0) -> bytes:
    target = io.BytesIO()
    joblib.dump([np.arange(1000.0), Attack(mark)], target, compress=compress)
    return target.getvalue()


def _torch_of_old(mark: Path) -> bytes:
    """As torch saved before 1.6: several pickles, then raw numbers."""
    whole = [pickle.dumps(part, protocol=2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    return b"".join([*whole, attacked(mark), b"\xff\x07" * 64])


WAYS: dict[str, Callable[[Path], bytes]] = {
    **{f"protocol {p}": (lambda mark, p=p: pickle.dumps(Attack(mark), protocol=p)) for p in range(6)},  # type: ignore[misc]
    "torch": lambda mark: _zip(attacked(mark)),
    "torch of old": _torch_of_old,
    "zip in zip": lambda mark: _zip(_zip(attacked(mark))),
    "tar": lambda mark: _tar(attacked(mark)),
    "gzip": lambda mark: gzip.compress(attacked(mark)),
    "bzip2": lambda mark: bz2.compress(attacked(mark)),
    "xz": lambda mark: lzma.compress(attacked(mark)),
    "lzma": lambda mark: lzma.compress(attacked(mark), lzma.FORMAT_ALONE),
    "zlib": lambda mark: zlib.compress(attacked(mark)),
    "array of objects": _npy,
    "joblib": _joblib,
    "joblib, compressed": lambda mark: _joblib(mark, 3),
    "joblib in xz": lambda mark: _joblib(mark, "xz"),
    "before a zip archive": lambda mark: attacked(mark) + _zip(b"hello"),
    "as the name in a tar archive": lambda mark: _tar(b"x", "cposix\nsystem\n(Vtrue\ntR."),
    "cut off": lambda mark: attacked(mark)[:-1],
    "by way of the memo": lambda mark: b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x04true\x85R.",
    "after a whole pickle": lambda mark: pickle.dumps(1) + attacked(mark),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["model.pkl", "weights.bin", "conda.yaml"])
def test_an_attack_is_found_in_every_wrapping_and_under_every_name(way: str, name: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / name).write_bytes(WAYS[way](mark))
    [file] = model_files(tmp_path / "model")
    assert "posix.system" in file.imports
    assert file.dangerous == ("posix.system",)
    assert refused([file], Admission())
    assert refused([file], Admission((("posix", *NUMPY),)))
    assert not mark.exists()


@pytest.mark.parametrize("content", [
    b"\x80\x04\x8c\x05posix\x94K\x01\x93.", b"\x80\x02\x82\x01.", pickle.dumps(range(3))[:-1] + b"\xff",
    b"\x04\x22\x4d\x18 packed", b"7z\xbc\xaf packed",
    b"PK\x03\x04 cut off", gzip.compress(b"x" * 100, mtime=0)[:-9], b"\x80",
])  # fmt: skip
def test_what_cannot_be_followed_is_not_loaded(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(content)
    [file] = model_files(tmp_path)
    assert file.unreadable or any("unknown" in name or "extension" in name for name in file.imports)
    assert refused([file], Admission((NUMPY,)))


def test_opcodes_where_joblib_expects_an_array_are_found(tmp_path: Path) -> None:
    """Joblib would step over them, and pickle would run them: the same file means two things."""
    plain = io.BytesIO()
    joblib.dump(np.zeros(16), plain)
    hidden = b"cposix\nsystem\n(Vtrue\ntR."
    content = plain.getvalue()
    start = content.rindex(b"ub") + len(b"ub")
    (tmp_path / "model.pkl").write_bytes(content[:start] + hidden + content[start + len(hidden) :])
    [file] = model_files(tmp_path)
    assert "posix.system" in file.imports


def test_code_is_refused_where_the_law_says_so(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "loader.py").write_text("import os\n")
    files = model_files(tmp_path)
    assert refused(files, Admission((NUMPY,), code=False)) == ("code/loader.py is python code",)
    assert refused(files, Admission((NUMPY,), code=True)) == ()


def test_what_is_on_one_list_and_not_on_the_other_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(np.arange(3)))
    files = model_files(tmp_path)
    assert refused(files, Admission((NUMPY, NUMPY))) == ()
    assert len(refused(files, Admission((NUMPY, ("numpy.dtype",))))) == 2
    assert refused(files, Admission((("numpy.dtyp", "numpy._core", "numpy.ndarray"),))) == (
        "model.pkl imports numpy.dtype",
    )


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner) | st.sets(st.text()),
    max_leaves=20,
), st.integers(0, 5))  # fmt: skip
def test_plain_values_import_nothing_else(value: Any, protocol: int) -> None:
    known = {("builtins", "set"), ("__builtin__", "set"), ("_codecs", "encode"), ("__builtin__", "bytes"),
             ("builtins", "bytes")}  # fmt: skip
    assert imports(io.BytesIO(pickle.dumps(value, protocol=protocol))) <= known


@given(st.binary(max_size=200))
def test_noise_never_crashes(noise: bytes) -> None:
    try:
        found = imports(io.BytesIO(noise))
    except UnreadableError as error:
        found = error.args[1]
    assert all(len(one) == 2 for one in found)


def saved(folder: Path, model: Any, serialization: str) -> Path:
    """The model as MLflow saves it."""
    from mlflow.sklearn import save_model

    trusted = ["sklearn.linear_model._logistic.LogisticRegression", "numpy.dtype"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save_model(model, folder, serialization_format=serialization, pip_requirements=["scikit-learn"],
                   **({"skops_trusted_types": trusted} if serialization == "skops" else {}))  # fmt: skip
    return folder


@pytest.mark.parametrize("serialization", ["pickle", "cloudpickle"])
def test_a_malicious_model_as_mlflow_saves_it_is_not_loaded(serialization: str, tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    data = rows()
    model = LogisticRegression().fit(data[["a", "b"]], data["y"])
    good = load(str(saved(tmp_path / "good", model, serialization)), None, Path())
    assert good.raw.classes_.tolist() == [0, 1]
    model.attack_ = Attack(tmp_path / "mark")
    bad = load(str(saved(tmp_path / "bad", model, serialization)), None, Path())
    with pytest.raises(EvaluationError, match=r"is not loaded: model.pkl imports posix.system"):
        _ = bad.raw
    assert not (tmp_path / "mark").exists()


def test_the_same_model_as_skops_is_loaded_where_its_types_are_allowed(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    data = rows()
    model = LogisticRegression().fit(data[["a", "b"]], data["y"])
    folder = saved(tmp_path / "m", model, "skops")
    good = load(str(folder), None, Path(), Admission((("numpy", "sklearn"),), code=False))
    assert good.raw.classes_.tolist() == [0, 1]
    assert {file.format for file in good.files if file.path == "model.skops"} == {"skops"}


def test_safetensors_and_onnx_are_known_and_hold_nothing(tmp_path: Path) -> None:
    header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 8)
    (tmp_path / "model.onnx").write_bytes(b"\x08\x08\x12\x07skl2onnx")
    files = model_files(tmp_path)
    assert [(file.format, file.imports, file.unreadable) for file in files] == [
        ("onnx", (), ""), ("safetensors", (), "")]  # fmt: skip
    assert refused(files, Admission((("nothing",),), code=False)) == ()


def test_models_are_loaded_in_one_place_which_asks_first() -> None:
    """`load_model` is called once in the whole package, behind the question."""
    root = Path(ml_compliance.__file__).parent
    calls = [
        (path.name, function.name, function)
        for path in root.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        and any(
            isinstance(node, ast.Attribute) and node.attr in ("load_model", "unpickle") for node in ast.walk(function)
        )
    ]
    [(file, name, function)] = calls
    assert (file, name) == ("models.py", "pyfunc")
    lines = {ast.unparse(node.func).split(".")[-1]: node.lineno for node in ast.walk(function)
             if isinstance(node, ast.Call)}  # fmt: skip
    assert lines["refused"] < lines["load_model"]


def described(folder: Path, **flavor: Any) -> Path:
    """A model whose description says `flavor` of the Python function, and a pickle that is none of an attack."""
    folder.mkdir()
    text = json.dumps({"flavors": {"python_function": {"loader_module": "mlflow.sklearn", **flavor}}})
    (folder / "MLmodel").write_text(text, encoding="utf-8")
    (folder / "model.pkl").write_bytes(pickle.dumps({"a": 1}))
    return folder


STRICT = Admission((("sklearn", "numpy"),), code=False)


def test_an_attribute_of_an_attribute_is_named_in_full(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04\x8c\x16sklearn.datasets._base\x8c\x09os.system\x93.")
    (reason,) = refused(model_files(tmp_path), STRICT)
    assert reason == "model.pkl imports sklearn.datasets._base.os.system"
    assert refused(model_files(tmp_path), Admission()) == (reason,)


@pytest.mark.parametrize("name", ["model.bin", "model.onnx", "model.safetensors"])
@pytest.mark.parametrize("number", [b"I0x1\n", b"I0o7\n", b"L0x1L\n"])
def test_what_the_model_loads_is_followed_whatever_its_name(number: bytes, name: str, tmp_path: Path) -> None:
    folder = described(tmp_path / "m", pickled_model=name)
    (folder / name).write_bytes(number + b"0cposix\nsystem\n(S'true'\ntR.")
    assert any(reason.startswith(f"{name}: ") for reason in refused(model_files(folder), Admission()))


@pytest.mark.parametrize("flavor", [
    {"pickled_model": "../evil.pkl"}, {"pickled_model": "/somewhere/evil.pkl"}, {"code": "../ev"},
    {"artifacts": {"a": {"path": "../x"}}},
])  # fmt: skip
def test_nothing_outside_of_the_model_is_loaded(flavor: dict[str, Any], tmp_path: Path) -> None:
    reasons = refused(model_files(described(tmp_path / "m", **flavor)), Admission())
    assert any("outside of the model" in reason for reason in reasons)


def test_where_an_artifact_came_from_may_be_anywhere(tmp_path: Path) -> None:
    artifact = {"a": {"path": "model.pkl", "uri": "/home/somebody/a.pkl"}}
    assert refused(model_files(described(tmp_path / "m", artifacts=artifact)), STRICT) == ()


def test_a_loader_of_its_own_is_code(tmp_path: Path) -> None:
    folder = described(tmp_path / "m", loader_module="evilmod")
    assert "MLmodel is python code" in refused(model_files(folder), STRICT)


def test_code_in_an_archive_is_code(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("evilmod.py", "import os")
    with tarfile.open(tmp_path / "lib.tar", "w") as archive:
        archive.add(tmp_path / "lib.zip", "inner.zip")
    assert set(refused(model_files(tmp_path), STRICT)) == {"lib.zip is python code", "lib.tar is python code"}


def test_types_that_a_model_trusts_itself_are_its_imports(tmp_path: Path) -> None:
    folder = described(tmp_path / "m", skops_trusted_types=["builtins.eval", "functools.partial", "sklearn.svm.SVC"])
    reasons = refused(model_files(folder), STRICT)
    assert {"MLmodel imports builtins.eval", "MLmodel imports functools.partial"} == set(reasons)
    assert "MLmodel imports builtins.eval" in refused(model_files(folder), Admission())


def test_a_description_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: [", encoding="utf-8")
    assert any("cannot be read" in reason for reason in refused(model_files(tmp_path), Admission()))
