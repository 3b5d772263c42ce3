"""What pickles import, read from their opcodes; nothing is ever unpickled here.

A pickle is a program of a small stack machine. It is followed with constants alone: strings, numbers, tuples and dicts
are known, everything else is not. A name that cannot be followed is listed as `(unknown)`, which no policy allows.
"""

from __future__ import annotations

import contextlib
import math
import pickletools
from dataclasses import dataclass, field
from typing import IO, Any

UNKNOWN = "(unknown)"
_STRINGS = frozenset({"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING",
                      "SHORT_BINSTRING"})  # fmt: skip
_NUMBERS = frozenset({"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"})
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EXTENSIONS = frozenset({"EXT1", "EXT2", "EXT4"})
_BROKEN = (ValueError, IndexError, KeyError, TypeError, OverflowError, EOFError)
_ARRAY = ("joblib.numpy_pickle", "NumpyArrayWrapper")
Global = tuple[str, str]


class UnreadableError(Exception):
    """It begins as a pickle and cannot be followed to its end."""


@dataclass(frozen=True)
class Import:
    """The value that an import gives: module and name."""

    of: Global


@dataclass(frozen=True)
class Made:
    """What comes of calling `by` with `arguments`, if they are known; `state` is what it is given afterwards."""

    by: Any
    arguments: Any = None
    state: dict[Any, Any] = field(default_factory=dict, hash=False, compare=False)


_MARK = object()
_NOTHING = object()


class _Machine:
    """The stack and the memo of one pickle, with `_NOTHING` for a value that is not known."""

    def __init__(self, found: set[Global]) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.found = found

    def step(self, opcode: Any, argument: Any) -> Any:
        """Follow one opcode; the object that was given a state, if it is a BUILD."""
        name = opcode.name
        if name in _STRINGS or name in _NUMBERS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.top()
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[int(argument)] = self.top()
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self.memo.get(int(argument), _NOTHING))
        elif name == "DUP":
            self.stack.append(self.top())
        elif name in ("GLOBAL", "INST", "STACK_GLOBAL") or name in _EXTENSIONS:
            self.imported(opcode, argument)
        elif name in ("REDUCE", "NEWOBJ", "NEWOBJ_EX", "BUILD", "SETITEM", "SETITEMS", "EMPTY_DICT") or (
            name in ("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE")
        ):
            return self.made(name)
        else:
            self.skip(opcode)
        return None

    def top(self) -> Any:
        return self.stack[-1] if self.stack else _NOTHING

    def pop(self) -> Any:
        return self.stack.pop() if self.stack else _NOTHING

    def popped_to_mark(self) -> list[Any]:
        taken = []
        while self.stack and (value := self.stack.pop()) is not _MARK:
            taken.append(value)
        return taken[::-1]

    def imported(self, opcode: Any, argument: Any) -> None:
        name = opcode.name
        if name == "STACK_GLOBAL":
            attribute, module = self.pop(), self.pop()
            known = isinstance(module, str) and isinstance(attribute, str)
            found = (module, attribute) if known else (UNKNOWN, UNKNOWN)
        elif name in _EXTENSIONS:
            found = (UNKNOWN, f"extension {argument}")
        else:
            module, _, attribute = str(argument).partition(" ")
            found = (module, attribute)
        self.found.add(found)
        if name == "INST":
            self.popped_to_mark()
        self.stack.append(Import(found))

    def made(self, name: str) -> Any:
        if name == "EMPTY_DICT":
            self.stack.append({})
        elif name == "SETITEM":
            value, key = self.pop(), self.pop()
            _set(self.top(), [key, value])
        elif name == "SETITEMS":
            pairs = self.popped_to_mark()
            _set(self.top(), pairs)
        elif name == "BUILD":
            state, built = self.pop(), self.top()
            if isinstance(built, Made) and isinstance(state, dict):
                built.state.update(state)
            return built
        elif "TUPLE" in name:
            count = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}.get(name)
            values = self.popped_to_mark() if count is None else [self.pop() for _ in range(count)][::-1]
            self.stack.append(tuple(values))
        else:
            if name == "NEWOBJ_EX":
                self.pop()
            arguments = self.pop()
            self.stack.append(Made(self.pop(), arguments))
        return None

    def skip(self, opcode: Any) -> None:
        """What an opcode takes and leaves, of which nothing is known."""
        takes = list(opcode.stack_before)
        if pickletools.markobject in takes:
            self.popped_to_mark()
            takes = takes[: takes.index(pickletools.markobject)]
        for _ in takes:
            self.pop()
        for left in opcode.stack_after:
            self.stack.append(_MARK if left is pickletools.markobject else _NOTHING)


def _set(target: Any, pairs: list[Any]) -> None:
    if isinstance(target, dict):
        for key, value in zip(pairs[::2], pairs[1::2], strict=False):
            if isinstance(key, str):
                target[key] = value


def imports(file: IO[bytes]) -> set[Global]:
    """Every (module, name) that the pickles in `file`, from its position on, import; empty where it is no pickle.

    Raises UnreadableError, with what was found so far in `args[1]`, when the first pickle breaks off: up to there it
    would have been executed. Bytes after a whole pickle that are no pickle are data, such as the weights of torch.
    """
    found: set[Global] = set()
    whole = 0
    while True:
        start = file.tell()
        if not file.read(1):
            return found
        file.seek(start)
        own: set[Global] = set()
        try:
            _follow(file, own)
        except _BROKEN as error:
            if whole and not any(map(is_name, own)):
                return found
            raise UnreadableError(str(error), found | own) from error
        found |= own
        whole += 1


def is_name(one: Global) -> bool:
    """Whether Python could import it; what chance finds in text or numbers is mostly not so."""
    return one[0] == UNKNOWN or all(part.isidentifier() for text in one for part in text.split("."))


def _follow(file: IO[bytes], found: set[Global]) -> None:
    machine = _Machine(found)
    # genops reads one opcode at a time, so that the array of joblib that follows one can be stepped over.
    for opcode, argument, _ in pickletools.genops(file):
        built = machine.step(opcode, argument)
        if isinstance(built, Made) and built.by == Import(_ARRAY):
            found |= _read_as_opcodes(file, machine)
            _skip_array(file, built.state, found)


def _read_as_opcodes(file: IO[bytes], machine: _Machine) -> set[Global]:
    """What is imported where joblib expects an array, by who reads the file with pickle: nothing, if it is one."""
    own: set[Global] = set()
    other, start = _Machine(own), file.tell()
    other.stack, other.memo = list(machine.stack), dict(machine.memo)
    with contextlib.suppress(*_BROKEN):
        for opcode, argument, _ in pickletools.genops(file):
            other.step(opcode, argument)
    file.seek(start)
    return {one for one in own if one[0] != UNKNOWN and is_name(one)}


def _skip_array(file: IO[bytes], state: dict[Any, Any], found: set[Global]) -> None:
    """Step over the numbers that joblib writes into the pickle after an array's description."""
    import numpy as np

    made, shape = state.get("dtype"), state.get("shape")
    code = made.arguments[0] if isinstance(made, Made) and isinstance(made.arguments, tuple) else None
    if not isinstance(code, str) or not isinstance(shape, tuple):
        raise ValueError("an array of joblib has an unknown type or shape")
    kind = np.dtype(code)
    if kind.hasobject:
        _follow(file, found)
        return
    if isinstance(state.get("numpy_array_alignment_bytes"), int):
        file.seek(file.read(1)[0], 1)
    file.seek(math.prod(shape) * kind.itemsize, 1)
