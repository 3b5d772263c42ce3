"""The shipped policy, compiled by OPA to WebAssembly and run inside this process: nothing to install."""

from __future__ import annotations

import atexit
import importlib.metadata
import json
from functools import cache
from typing import Any

from ml_compliance.decide._contract import Answer, Request
from ml_compliance.decide._policy import digest_of_files, rego_files
from ml_compliance.errors import EvaluationError
from ml_compliance.resources import policies_folder

_MODULE = "policy.wasm"
_PAGE = 65536
# OPA's modules ask for 2 pages whatever the policy's own constants need; memory grows from here on its own.
_PAGES = 64


def available(request: Request) -> bool:
    """Whether the shipped policy is asked for; one of the user's own has to be compiled by `opa`."""
    return request.rego is None


def evaluate(request: Request) -> Answer:
    """Evaluate in a fresh instance, so that nothing is left over from an earlier decision.

    Raises EvaluationError when the policy is not the shipped one, or when the module stops.
    """
    if request.rego is not None:
        raise EvaluationError("the embedded engine runs the shipped policy only", where=str(request.rego))
    document = {"mlpolicy": {"law": request.law}}
    result = _Instance().evaluate(json.dumps(request.submission.get("input")), json.dumps(document))
    version = f"wasmtime {importlib.metadata.version('wasmtime')}"
    return Answer(result, "embedded", version, digest_of_files(rego_files()))


@cache
def _compiled() -> tuple[Any, Any]:
    """The engine and the module; compiling takes some 70 ms and keeps nothing of a decision."""
    import wasmtime

    path = policies_folder() / _MODULE
    engine = wasmtime.Engine()
    try:
        return engine, wasmtime.Module(engine, path.read_bytes())
    except (OSError, wasmtime.WasmtimeError) as error:
        raise EvaluationError(f"the compiled policy cannot be loaded: {error}", where=str(path),
                              remedy="install ml-compliance again") from error  # fmt: skip


# wasmtime's own clean-up fails when it is left to the end of the interpreter.
atexit.register(_compiled.cache_clear)


class _Instance:
    """One instance of the module, by OPA's WebAssembly ABI 1.3 (the document "Compiling OPA policies to WebAssembly").

    Addresses are bytes from the start of the memory; texts end with a zero byte.
    """

    def __init__(self, loaded: tuple[Any, Any] | None = None) -> None:
        import wasmtime

        engine, module = loaded or _compiled()
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
        self._start = self._call("opa_heap_ptr_get")

    def evaluate(self, submission: str, data: str) -> Any:
        """The value of `data.mlpolicy.deploy`; None where it is undefined. Memory starts empty at each call."""
        import wasmtime

        try:
            self._call("opa_heap_ptr_set", self._start)
            data_at, size = self._write(data)
            parsed = self._call("opa_json_parse", data_at, size)
            input_at, input_size = self._write(submission)
            heap = self._call("opa_heap_ptr_get")
            answer = self._text(self._call("opa_eval", 0, 0, parsed, input_at, input_size, heap, 0))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise EvaluationError(f"the embedded policy stopped: {error}") from error
        found = json.loads(answer)
        return found[0]["result"] if found else None

    def host_builtins(self) -> str:
        """A JSON object of the functions that the module asks its host for: name → number."""
        return self._text(self._call("opa_json_dump", self._call("builtins")))

    def _call(self, name: str, *arguments: int) -> int:
        return int(self._exports[name](self._store, *arguments) or 0)

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
        raise EvaluationError(f"the embedded policy calls a function that only the `opa` program has (number {number})",
                              remedy="run the policy with the `opa` program or a server")  # fmt: skip
