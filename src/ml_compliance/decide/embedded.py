"""A policy that OPA compiled to WebAssembly, run inside this process: the shipped one, or a bundle."""

from __future__ import annotations

import atexit
import importlib.metadata
import json
from functools import lru_cache
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
    result = instance.evaluate(_compact(request.submission.get("input")), _compact(policy.data_with(request.law)))
    version = f"wasmtime {importlib.metadata.version('wasmtime')}"
    return Answer(result, "embedded", version, policy.digest, policy.revision)


def _compact(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def builtins_lacking(module: bytes) -> tuple[str, ...]:
    """The functions that a compiled policy calls and this engine does not have, sorted."""
    return tuple(sorted(_Instance(module, "policy.wasm").builtins))


def shipped() -> _Instance:
    """A fresh instance of the shipped policy."""
    where = policies_folder() / WASM
    return _Instance(where.read_bytes(), str(where))


@lru_cache(maxsize=8)
def _compiled(module: bytes, where: str) -> tuple[Any, Any]:
    """The engine and the module; compiling takes some 70 ms and keeps nothing of a decision."""
    import wasmtime

    engine = wasmtime.Engine()
    try:
        return engine, wasmtime.Module(engine, module)
    except wasmtime.WasmtimeError as error:
        raise EvaluationError(f"the compiled policy cannot be loaded: {error}", where=where,
                              remedy="install ml-compliance again, or build the bundle again") from error  # fmt: skip


# wasmtime's own clean-up fails when it is left to the end of the interpreter.
atexit.register(_compiled.cache_clear)


class _Instance:
    """One instance of the module, by OPA's WebAssembly ABI 1.3 (the document "Compiling OPA policies to WebAssembly").

    Addresses are bytes from the start of the memory; texts end with a zero byte.
    """

    def __init__(self, compiled: bytes, where: str) -> None:
        import wasmtime

        engine, module = _compiled(compiled, where)
        self._store = wasmtime.Store(engine)
        least = next(item.type.limits.min for item in module.imports if item.name == "memory")
        self._memory = wasmtime.Memory(self._store, wasmtime.MemoryType(wasmtime.Limits(max(least, _PAGES), None)))
        linker = wasmtime.Linker(engine)
        linker.define(self._store, "env", "memory", self._memory)
        address = wasmtime.ValType.i32()
        linker.define_func("env", "opa_abort", wasmtime.FuncType([address], []), self._abort)
        linker.define_func("env", "opa_println", wasmtime.FuncType([address], []), lambda _: None)
        for arguments in range(5):
            kind = wasmtime.FuncType([address] * (arguments + 2), [address])
            linker.define_func("env", f"opa_builtin{arguments}", kind, self._builtin)
        self._exports: Any = linker.instantiate(self._store, module).exports(self._store)
        # Name → number, of the functions that the host must have, and of the rules that can be asked for.
        self.builtins: dict[str, int] = self._json("builtins")
        self._entrypoints: dict[str, int] = self._json("entrypoints")
        if _ENTRY not in self._entrypoints:
            raise EvaluationError(f"the compiled policy has no entry `{_ENTRY}`", where=where,
                                  remedy="begin the policy with `package mlpolicy.deploy`")  # fmt: skip
        self._start = self._call("opa_heap_ptr_get")

    def evaluate(self, submission: str, data: str) -> Any:
        """The value of `data.mlpolicy.deploy`; None where it is undefined. Memory starts empty at each call."""
        import wasmtime

        try:
            self._call("opa_heap_ptr_set", self._start)
            data_at, size = self._write(data)
            parsed = self._call("opa_json_parse", data_at, size)
            input_at, input_size = self._write(submission)
            heap, entry = self._call("opa_heap_ptr_get"), self._entrypoints[_ENTRY]
            answer = self._text(self._call("opa_eval", 0, entry, parsed, input_at, input_size, heap, 0))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise EvaluationError(f"the embedded policy stopped: {error}") from error
        found = json.loads(answer)
        return found[0]["result"] if found else None

    def _call(self, name: str, *arguments: int) -> int:
        return int(self._exports[name](self._store, *arguments) or 0)

    def _json(self, name: str) -> dict[str, int]:
        found: dict[str, int] = json.loads(self._text(self._call("opa_json_dump", self._call(name))))
        return found

    def _write(self, text: str) -> tuple[int, int]:
        raw = text.encode()
        address = self._call("opa_malloc", len(raw))
        self._memory.write(self._store, raw, address)
        return address, len(raw)

    def _text(self, address: int) -> str:
        raw = bytearray()
        while b"\0" not in raw:
            start = address + len(raw)
            raw += self._memory.read(self._store, start, start + _PAGE)
        return raw.split(b"\0", 1)[0].decode()

    def _abort(self, address: int) -> None:
        raise EvaluationError(f"the embedded policy stopped: {self._text(address)}")

    def _builtin(self, number: int, *_: int) -> int:
        name = next((name for name, known in self.builtins.items() if known == number), f"number {number}")
        raise EvaluationError(f"the embedded policy calls `{name}`, which only the `opa` program has",
                              remedy="run the policy with the `opa` program or a server")  # fmt: skip
