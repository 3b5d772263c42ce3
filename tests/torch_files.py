"""Files as `torch.save`, `torch.jit.save` and `torch.export.save` lay them out, written without torch.

The layouts are those of torch/serialization.py (`_save`, `_legacy_save`) and of the PT2 archive of torch.export: a
pickle of protocol 2 in which storages are persistent ids, and beside it the numbers of each storage.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

Numbers = np.ndarray[Any, Any]
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


def _pretended(name: str, **members: Any) -> ModuleType:
    """A module to pickle names of; whoever unpickles them would need the real one."""
    module = ModuleType(name)
    for key, value in members.items():
        value.__module__, value.__qualname__ = name, key
        setattr(module, key, value)
    return module


class _Storage:
    def __init__(self, numbers: Numbers) -> None:
        self.numbers = np.ascontiguousarray(numbers, dtype="<f4")


class _FloatStorage:
    pass


class _Linear:
    pass


def _rebuild(*arguments: Any) -> None:
    raise AssertionError("nothing is unpickled in these tests")


class Tensor:
    """Pickles as a tensor of torch does."""

    def __init__(self, numbers: Numbers) -> None:
        self.storage, self.shape = _Storage(numbers), numbers.shape

    def __reduce__(self) -> Any:
        strides = tuple(int(np.prod(self.shape[place + 1 :])) for place in range(len(self.shape)))
        return _rebuild, (self.storage, 0, self.shape, strides, False, OrderedDict())


_MODULES = {
    "torch": _pretended("torch", FloatStorage=_FloatStorage),
    "torch._utils": _pretended("torch._utils", _rebuild_tensor_v2=_rebuild),
    "torch.nn.modules.linear": _pretended("torch.nn.modules.linear", Linear=_Linear),
}


def linear(weights: Mapping[str, Numbers]) -> Any:
    """A layer as a whole: what `torch.save(model)` is given."""
    layer: Any = _Linear()
    layer.training, layer._parameters = False, state_dict(weights)
    return layer


def state_dict(weights: Mapping[str, Numbers]) -> OrderedDict[str, Any]:
    """Names and tensors: what `torch.save(model.state_dict())` is given."""
    return OrderedDict((name, Tensor(numbers)) for name, numbers in weights.items())


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, *more: Any) -> None:
        super().__init__(file, protocol=2)
        self.storages: list[_Storage] = []
        self.more = more

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, _Storage):
            return None
        self.storages.append(obj)
        return ("storage", _FloatStorage, str(len(self.storages) - 1), "cpu", obj.numbers.size, *self.more)


def _pickled(value: Any, *more: Any) -> tuple[bytes, list[_Storage]]:
    file = io.BytesIO()
    pickler = _Pickler(file, *more)
    with patch.dict(sys.modules, _MODULES):
        pickler.dump(value)
    return file.getvalue(), pickler.storages


def _zip(root: str, records: Mapping[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in records.items():
            archive.writestr(f"{root}/{name}", content)
    return file.getvalue()


def saved(value: Any, root: str = "model", more: Mapping[str, bytes | str] | None = None) -> bytes:
    """As `torch.save` writes since 1.6; `more` are other records."""
    program, storages = _pickled(value)
    numbers = {f"data/{key}": storage.numbers.tobytes() for key, storage in enumerate(storages)}
    return _zip(root, {"data.pkl": program, ".format_version": "1", ".storage_alignment": "64", "byteorder": "little",
                       **numbers, "version": "3\n", ".data/serialization_id": "0" * 40, **(more or {})})  # fmt: skip


def saved_before_1_6(value: Any) -> bytes:
    """As `torch.save` wrote: four pickles, one of the keys of the storages, and the numbers of each."""
    sizes = {"short": 2, "int": 4, "long": 4}
    head = (_MAGIC, _PROTOCOL, {"protocol_version": _PROTOCOL, "little_endian": True, "type_sizes": sizes})
    program, storages = _pickled(value, None)
    keys = pickle.dumps([str(key) for key in range(len(storages))], protocol=2)
    numbers = b"".join(struct.pack("<q", one.numbers.size) + one.numbers.tobytes() for one in storages)
    return b"".join([*(pickle.dumps(one, protocol=2) for one in head), program, keys, numbers])


def script(value: Any) -> bytes:
    """As `torch.jit.save` writes: the program lies in `code`, in a language of its own that looks like Python's."""
    parts: dict[str, bytes | str] = {
        "code/__torch__.py": 'class Linear(Module):\n  __parameters__ = ["weight", ]\n  weight : Tensor\n',
        "code/__torch__.py.debug_pkl": pickle.dumps((0, 0, ()), 2),
        "constants.pkl": pickle.dumps((), 2),
    }
    return saved(value, more=parts)


def exported(value: Any, weights: Mapping[str, Numbers]) -> bytes:
    """As `torch.export.save` writes since 2.8; `value` are the inputs that it was traced with."""
    records: dict[str, bytes | str] = {"archive_format": "pt2", "archive_version": "0", "byteorder": "little",
                                       "models/model.json": json.dumps({"graph_module": {"graph": {}}})}  # fmt: skip
    entries = {}
    for place, (name, numbers) in enumerate(weights.items()):
        records[f"data/weights/weight_{place}"] = np.ascontiguousarray(numbers, dtype="<f4").tobytes()
        entries[name] = {"path_name": f"weight_{place}", "is_param": True, "use_pickle": False}
    records["data/weights/model_weights_config.json"] = json.dumps({"config": entries})
    records["data/constants/model_constants_config.json"] = json.dumps({"config": {}})
    records["data/sample_inputs/model.pt"] = saved(value, "archive")
    return _zip("model", {**records, ".data/serialization_id": "0" * 40})


def exported_before_2_8(value: Any, weights: Mapping[str, Numbers]) -> bytes:
    """As `torch.export.save` wrote: what is pickled lies in files of `torch.save`, one in the other."""
    parts: dict[str, bytes | str] = {
        "serialized_exported_program.json": json.dumps({"graph_module": {}}),
        "serialized_state_dict.pt": saved(state_dict(weights), "archive"),
        "serialized_constants.pt": saved({}, "archive"),
        "serialized_example_inputs.pt": saved(value, "archive"),
        "version": "8.4",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


Write = Callable[[Any, Mapping[str, Numbers]], bytes]
FORMATS: dict[str, tuple[str, Write]] = {
    "torch.save": ("model.pth", lambda more, weights: saved({"model": linear(weights), "more": more})),
    "torch.save before 1.6": ("model.pth", lambda more, weights: saved_before_1_6([linear(weights), more])),
    "state dict": ("state_dict.pth", lambda more, weights: saved({**state_dict(weights), "more": more})),
    "TorchScript": ("model.pth", lambda more, weights: script({**state_dict(weights), "more": more})),
    "torch.export": ("model.pt2", exported),
    "torch.export before 2.8": ("model.pt2", exported_before_2_8),
}
"""Name → the file that MLflow calls it, and how it is written; `more` is something else that is pickled with it."""
