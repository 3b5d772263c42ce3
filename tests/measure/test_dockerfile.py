"""What a Dockerfile starts from: through its ARGs and stages, and past everything that could hide it."""

from __future__ import annotations

import pytest

from ml_compliance.measure._dockerfile import bases

PINNED = "docker.io/library/python@sha256:" + "a" * 64


def found(text: str) -> list[tuple[int, str, bool]]:
    return [(base.line, base.image, base.pinned) for base in bases(text)]


@pytest.mark.parametrize("reference", ["$BASE", "${BASE}", "${BASE:-python}"])
def test_an_arg_stands_for_its_default(reference: str) -> None:
    assert found(f"ARG BASE={PINNED}\nFROM --platform=linux/amd64 {reference} AS build\n") == [(2, PINNED, True)]
    assert found(f"ARG BASE=python:3.12\nFROM {reference}\n") == [(2, "python:3.12", False)]


@pytest.mark.parametrize(("args", "image"), [
    (f'ARG BASE="{PINNED}"\n', PINNED),
    (f"arg OTHER=1 BASE={PINNED}\n", PINNED),
    (f"ARG OTHER=1 \\\n# a comment\n\n    BASE={PINNED}\n", PINNED),
    (f"ARG DIGEST={PINNED.partition('@')[2]}\nARG BASE=docker.io/library/python@$DIGEST\n", PINNED),
    (f"ARG BASE={PINNED}\r\n", PINNED),
    (f"ARG BASE={PINNED}\nARG BASE=python\n", "python"),
])  # fmt: skip
def test_how_defaults_are_written(args: str, image: str) -> None:
    assert [base for _, base, _ in found(f"{args}FROM $BASE\n")] == [image]


@pytest.mark.parametrize("text", [
    "ARG BASE\nFROM ${BASE}\n",
    "FROM ${BASE}\n",
    "ARG BASE=\nFROM ${BASE}\n",
    f"ARG BASE={PINNED}\nARG BASE\nFROM ${{BASE}}\n",
    f"FROM {PINNED}\nARG BASE={PINNED}\nFROM ${{BASE}}\n",
    f"FROM ${{BASE}}@sha256:{'a' * 64}\n",
    f"ARG BASE={PINNED}\nFROM ${{BASE:+python}}\n",
    f"ARG BASE='{PINNED}\nFROM $BASE\n",
])  # fmt: skip
def test_an_arg_without_a_default_is_not_pinned(text: str) -> None:
    *_, (_, image, pinned) = found(text)
    assert not pinned
    assert "$" in image


def test_the_files_own_stages_are_no_images() -> None:
    text = f"FROM {PINNED} \\\n  AS Build\nFROM scratch\nARG X=1\nFROM build AS test\nFROM $NEXT\n"
    assert found(text) == [(1, PINNED, True), (6, "$NEXT", False)]


@pytest.mark.parametrize("text", [
    f"FROM {PINNED}\nRUN true \\\nFROM {PINNED} AS python\nFROM python\n",
    f"# escape=`\nFROM {PINNED}\nRUN echo `\n\nFROM {PINNED} AS python\nFROM python\n",
    f"FROM {PINNED}\nRUN <<EOF\nFROM {PINNED} AS python\nEOF\nFROM python\n",
    f"FROM {PINNED}\nRUN cat <<A \\\n<<'B'\nA\nFROM {PINNED} AS python\nB\nFROM python\n",
    f"FROM {PINNED}\nRUN <<-EOF\n EOF\nFROM {PINNED} AS python\nEOF\nFROM python\n",
    f"FROM {PINNED}\nRUN true \u2028FROM {PINNED} AS python\nFROM python\n",
    f"FROM {PINNED}\nFR\\\nOM python\n",
    f"# escape=`\nFROM {PINNED}\nFR`\nOM python\n",
    f"ARG python={PINNED}\nARG a=`\nARG python=python\nFROM $python\n",
    f"ARG python={PINNED}\nARG a=\\\nFROM\nARG python=python\nFROM $python\n",
])  # fmt: skip
def test_nothing_hides_an_image(text: str) -> None:
    assert found(text)[-1][2] is False


def test_a_stage_after_a_here_document_is_known() -> None:
    text = f"FROM {PINNED} AS build\nRUN <<EOF\necho \\\nEOF\n\nFROM {PINNED} AS test\nFROM test\n"
    assert [line for line, _, _ in found(text)] == [1, 6]
