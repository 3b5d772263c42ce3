"""Nothing that pip would install is passed over: attacks that once were, and what pip itself says of any file."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_compliance.measure._requirements import Pin, Requirements, requirements

EXTRA = "requests==2.19.1\n"


def listed(folder: Path, files: dict[str, str], env: Any = None) -> Requirements:
    """The requirements of a model with `files`, whose description names `env`."""
    flavor = {"loader_module": "mlflow.sklearn", **({"env": env} if env else {})}
    (folder / "MLmodel").write_text(json.dumps({"flavors": {"python_function": flavor}}), encoding="utf-8")
    for name, text in {"extra.txt": EXTRA, **files}.items():
        (folder / name).write_bytes(text.encode())
    return requirements(folder)


@pytest.mark.parametrize("text", [
    "# comment \\\nrequests==2.19.1\n",
    " # comment \\\r\nrequests==2.19.1\n",
    "requests==\\\n2.19.1",
    "requests==2.19.1 \\",
    "-r extra.txt",
    "-rextra.txt  # and why",
    "--requirement=extra.txt",
    "-c limits.txt",
])  # fmt: skip
def test_lines_are_read_as_pip_reads_them(text: str, tmp_path: Path) -> None:
    found = listed(tmp_path, {"requirements.txt": text, "limits.txt": "numpy<2\n-r extra.txt\n"})
    assert [(pin.package, pin.version) for pin in found.pins] == [("requests", "2.19.1")]
    assert found.unpinned == ()


@pytest.mark.parametrize("line", [
    "--pre -r extra.txt", "--requirem extra.txt", "--requirement extra.txt --pre", "-r extra.txt -r extra.txt",
    "-r 'extra.txt'", "-r ex\\tra.txt", "--index-url -r extra.txt", "--editab git+https://example.org/a",
    "-i https://example.org --editable=.", "-r https://example.org/a.txt", "-r http:extra.txt", "-r file:extra.txt",
    "-c https://example.org/a.txt", "-c absent.txt", "-c elsewhere.txt", "--global-option x", "-x", "--", "-",
    "${REQUIREMENTS}", "a==1 ${MORE}", "--index-url https://${A}", "-r a\0b", "-r " + "a" * 300, "a==1+b.zip",
    "a==1\t--hash=sha256:00",
    "# -*- coding: utf-7 -*-\n#+AAo-requests==2.19.1", "\n# vim: set fileencoding=latin-1 :", "# coding: none-such",
])  # fmt: skip
def test_what_pip_could_read_otherwise_cannot_be_judged(line: str, tmp_path: Path) -> None:
    (tmp_path / "ex\\tra.txt").write_text("# none\n")
    (tmp_path / "http:extra.txt").write_text("# none\n")
    found = listed(tmp_path, {"requirements.txt": f"{line}\n", "elsewhere.txt": "a @ https://example.org/a.whl\n"})
    assert found.unpinned, found.pins


@pytest.mark.parametrize("line", [
    "", "# coding: UTF8", "--pre", "--no-index", "--prefer-binary", "--require-hashes", "-i https://example.org/simple",
    "--index-url=https://example.org", "--extra-index-url https://example.org", "-f wheels", "--find-links wheels",
    "--trusted-host example.org", "--only-binary :all:", "--no-binary=:none:", "-c limits.txt",
    "--constraint limits.txt", "a==1 --hash=sha256:00 --hash=sha256:11", "a==1 ; python_version > '3' # ${A}",
    "\N{BYTE ORDER MARK}a==1",
])  # fmt: skip
def test_options_that_install_nothing_are_passed_over(line: str, tmp_path: Path) -> None:
    found = listed(tmp_path, {"requirements.txt": f"{line}\na==1\n", "limits.txt": "numpy<2\nb==3\n"})
    assert (found.pins, found.unpinned) == ((Pin("a", "1", "requirements.txt"),), ())


@pytest.mark.parametrize("entry", ["a==1\\", "# a \\\nrequests==2.19.1", "# a\rrequests", "--pre -r extra.txt"])
@pytest.mark.parametrize("name", ["conda.yaml", "python_env.yaml"])
def test_an_entry_of_a_list_is_one_line(name: str, entry: str, tmp_path: Path) -> None:
    entries: list[Any] = [entry, "b==2"]
    found = listed(tmp_path, {name: json.dumps({"dependencies": [{"pip": entries}] if "conda" in name else entries})})
    assert len(found.unpinned) == 1
    assert [pin.package for pin in found.pins] == ["b"]


def test_a_list_for_pip_may_not_choose_its_encoding(tmp_path: Path) -> None:
    text = json.dumps({"dependencies": [{"pip": ["b==2", "# coding: utf-7", "#+AAo-requests==2.19.1"]}]})
    assert listed(tmp_path, {"conda.yaml": text}).unpinned


@pytest.mark.parametrize("entry", [
    "python::openssl=1.0.1", "pip::evil", "python[name=openssl]", "python=3.11[name=evil]", "pythonx", "pip-evil=1",
    "elsewhere/linux-64::python=3.11", "python=3.11 # openssl", "https://example.org/python=3.conda",
])  # fmt: skip
def test_a_package_of_conda_is_no_environment_by_its_channel(entry: str, tmp_path: Path) -> None:
    found = listed(tmp_path, {"conda.yaml": json.dumps({"dependencies": [entry]})})
    assert [one.file for one in found.unpinned] == ["conda.yaml"]


@pytest.mark.parametrize("entry", ["python", "python=3.11.7", "python>=3.11,<3.13", "python==3.11.*", "pip<=23.2.1"])
def test_the_environment_of_conda_is_no_package(entry: str, tmp_path: Path) -> None:
    assert listed(tmp_path, {"conda.yaml": json.dumps({"dependencies": [entry]})}) == Requirements(
        ("conda.yaml",), (), ()
    )


@pytest.mark.parametrize(("name", "env"), [
    ("conda.yaml", None), ("conda.yaml", "conda.yaml"), ("env.txt", {"conda": "env.txt"}), ("env.yaml", "env.yaml"),
    ("python_env.yaml", {"conda": "python_env.yaml"}),
])  # fmt: skip
@pytest.mark.parametrize("extra", [{}, {"build_dependencies": []}, {"python": "3.11"}])
def test_what_a_file_is_read_as_is_not_what_it_says(name: str, env: Any, extra: dict[str, Any], tmp_path: Path) -> None:
    """What would be a pin of pip is a package of conda, of whose vulnerabilities nothing is known."""
    found = listed(tmp_path, {name: json.dumps({**extra, "dependencies": ["openssl==1.0.1"]})}, env)
    assert [one.requirement for one in found.unpinned] == ["openssl==1.0.1"]


PARTS = (
    "requests==2.19.1", "a==1", "b", "# c", "#", " ", "\\", "\n", "\r\n", "\f", "\t", "-r ", "--requirement=",
    "extra.txt", "--pre", "--req ", "-e .", "-c ", "limits.txt", "--hash=sha256:00", "--index-url x", "--no-index",
    "'", '"', "${HOME}", "# coding: utf-7\n", "#+AAo-", ";python_version>'2'", "\u2028", "-", "=", "[x]", "\ufeff",
)  # fmt: skip


# Of the packages that pip brings along itself.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join))
def test_what_pip_itself_lists_is_listed_here_or_nothing_is(text: str) -> None:
    """By pip's own parser, of the file as it is; what it refuses, it does not install."""
    from pip._internal.exceptions import PipError
    from pip._internal.network.session import PipSession
    from pip._internal.req.constructors import install_req_from_parsed_requirement
    from pip._internal.req.req_file import parse_requirements

    with TemporaryDirectory() as name:
        folder = Path(name)
        found = listed(folder, {"requirements.txt": text, "limits.txt": "-r extra.txt\n"})
        try:
            parsed = list(parse_requirements(str(folder / "requirements.txt"), PipSession()))
            theirs = [install_req_from_parsed_requirement(one) for one in parsed if not one.constraint]
        except (PipError, ValueError, LookupError):
            return
    ours = {(pin.package, pin.version) for pin in found.pins}
    for one in theirs:
        pinned = one.req is not None and len(one.req.specifier) == 1
        version = next(iter(one.req.specifier)).version if one.req is not None and pinned else ""
        assert found.unpinned or (one.name, version) in ours
