"""A policy that OPA compiled to WebAssembly, run inside this process: the shipped one, or a bundle."""

from __future__ import annotations

import atexit
import importlib.metadata
import json
from functools import cache, lru_cache
from typing import Any

from ml_compliance.decide._bundle import WASM, is_bundle
from ml_compliance.decide._contract import PACKAGE, Answer, Request
from ml_compliance.decide._policy import load_policy
from ml_compliance.errors import EvaluationError
from ml_compliance.resources import policies_folder

_ENTRY = "/".join(PACKAGE)
_PAGE = 65536
# OPA's modules ask for 2 pages whatever the policy's own constants need; memory grows from here on its own.
_PAGES = 64


def available(request: Request) -> bool:
    """Whether the policy is compiled: the shipped one is, and so is a bundle."""
    return request.rego is None or is_bundle(request.rego)


def evaluate(request: Request) -> Answer:
    """Evaluate in a fresh instance, so that nothing is left over from an earlier decision.

    Raises EvaluationError when the policy is not compiled, or when the module stops.
    """
    where = str(request.rego or policies_folder() / WASM)
    if not available(request):
        raise EvaluationError("the embedded engine runs the shipped policy and bundles only", where=where,
                              remedy="run: ml-compliance policy build")  # fmt: skip
    policy = load_policy(request)
    if policy.wasm is None:
        raise EvaluationError("the bundle has no policy.wasm", where=where, remedy="run: ml-compliance policy build")
    instance = _Instance(policy.wasm, where)
    result = instance.evaluate(request.submission.get("input"), policy.data_with(request.law))
    return Answer(result, "embedded", f"wasmtime {_version()}", policy.digest, policy.revision)


@cache
def _version() -> str:
    return importlib.metadata.version("wasmtime")


def _json(document: Any) -> bytes:
    """JSON as pydantic's core writes it, in a fifth of the time of the standard library."""
    from pydantic_core import PydanticSerializationError, to_json

    try:
        return to_json(document)
    except PydanticSerializationError as error:
        raise EvaluationError(f"the submission or the law cannot be written as JSON: {error}",
                              remedy="make the submission anew") from error  # fmt: skip


def builtins_lacking(module: bytes) -> tuple[str, ...]:
    """The functions that a compiled policy calls and this engine does not have, sorted."""
    return tuple(sorted(_Instance(module, "policy.wasm").builtins))


def shipped() -> _Instance:
    """A fresh instance of the shipped policy."""
    where = policies_folder() / WASM
    return _Instance(where.read_bytes(), str(where))


@lru_cache(maxsize=8)
def _compiled(module: bytes, where: str) -> tuple[Any, Any, tuple[Any, ...]]:
    """The engine, the module and its imports; compiling takes some 70 ms and keeps nothing of a decision."""
    import wasmtime

    engine = wasmtime.Engine()
    try:
        compiled = wasmtime.Module(engine, module)
    except wasmtime.WasmtimeError as error:
        raise EvaluationError(f"the compiled policy cannot be loaded: {error}", where=where,
                              remedy="install ml-compliance again, or build the bundle again") from error  # fmt: skip
    return engine, compiled, tuple((item.name, item.type) for item in compiled.imports)


# wasmtime's own clean-up fails when it is left to the end of the interpreter.
atexit.register(_compiled.cache_clear)


class _Instance:
    """One instance of the module, by OPA's WebAssembly ABI 1.3 (the document "Compiling OPA policies to WebAssembly").

    Addresses are bytes from the start of the memory; texts end with a zero byte. What the module may call does not
    refer to the instance, so that its memory goes when it does.
    """

    def __init__(self, compiled: bytes, where: str) -> None:
        import wasmtime

        engine, module, imports = _compiled(compiled, where)
        self._store = wasmtime.Store(engine)
        least = next(kind.limits.min for name, kind in imports if name == "memory")
        kind = wasmtime.MemoryType(wasmtime.Limits(max(least, _PAGES), None))
        self._memory = memory = wasmtime.Memory(self._store, kind)
        given = [
            memory
            if name == "memory"
            else wasmtime.Func(self._store, kind, _HOST.get(name, _builtin), access_caller=True)
            for name, kind in imports
        ]
        self._exports: Any = wasmtime.Instance(self._store, module, given).exports(self._store)
        # Name → number, of the rules that can be asked for.
        self._entrypoints: dict[str, int] = self._table("entrypoints")
        if _ENTRY not in self._entrypoints:
            raise EvaluationError(f"the compiled policy has no entry `{_ENTRY}`", where=where,
                                  remedy="begin the policy with `package mlpolicy.deploy`")  # fmt: skip
        self._start = self._call("opa_heap_ptr_get")

    @property
    def builtins(self) -> dict[str, int]:
        """Name → number, of the functions that the host must have."""
        return self._table("builtins")

    def evaluate(self, submission: Any, data: Any) -> Any:
        """The value of `data.mlpolicy.deploy`; None where it is undefined. Memory starts empty at each call."""
        import wasmtime

        try:
            self._call("opa_heap_ptr_set", self._start)
            data_at, size = self._write(_json(data))
            parsed = self._call("opa_json_parse", data_at, size)
            input_at, input_size = self._write(_json(submission))
            heap, entry = self._call("opa_heap_ptr_get"), self._entrypoints[_ENTRY]
            answer = self._text(self._call("opa_eval", 0, entry, parsed, input_at, input_size, heap, 0))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise EvaluationError(f"the embedded policy stopped: {error}") from error
        found = json.loads(answer)
        return found[0]["result"] if found else None

    def _call(self, name: str, *arguments: int) -> int:
        return int(self._exports[name](self._store, *arguments) or 0)

    def _table(self, name: str) -> dict[str, int]:
        found: dict[str, int] = json.loads(self._text(self._call("opa_json_dump", self._call(name))))
        return found

    def _write(self, raw: bytes) -> tuple[int, int]:
        address = self._call("opa_malloc", len(raw))
        self._memory.write(self._store, raw, address)
        return address, len(raw)

    def _text(self, address: int) -> str:
        return _text(self._memory, self._store, address)


def _text(memory: Any, store: Any, address: int) -> str:
    raw = bytearray()
    while True:
        start = address + len(raw)
        page = memory.read(store, start, start + _PAGE)
        end = page.find(0)
        raw += page if end < 0 else page[:end]
        if end >= 0:
            return raw.decode()


def _abort(caller: Any, address: int) -> None:
    raise EvaluationError(f"the embedded policy stopped: {_text(caller['memory'], caller, address)}")


def _builtin(caller: Any, number: int, *_: int) -> int:
    known = caller["builtins"](caller)
    names = json.loads(_text(caller["memory"], caller, caller["opa_json_dump"](caller, known)))
    name = next((name for name, stated in names.items() if stated == number), f"number {number}")
    raise EvaluationError(f"the embedded policy calls `{name}`, which only the `opa` program has",
                          remedy="run the policy with the `opa` program or a server")  # fmt: skip


# What the module imports beside its memory and the functions that it lacks.
_HOST = {"opa_abort": _abort, "opa_println": lambda *_: None}
