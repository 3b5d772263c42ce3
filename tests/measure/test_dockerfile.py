"""What a Dockerfile starts from: through its ARGs and stages, and past everything that could hide it."""

from __future__ import annotations

import pytest

from ml_compliance.measure._dockerfile import bases, builds
from ml_compliance.measure._dockerfile_user import user

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


@pytest.mark.parametrize("delimiter", ['"E O F"', "'E O F'", "E\\ O\\ F", 'E" O "F', '"E', "$E"])
def test_the_end_of_a_here_document_may_have_blanks(delimiter: str) -> None:
    text = f"FROM {PINNED}\nRUN <<{delimiter}\nE\nFROM {PINNED} AS python\nE O F\nFROM python\n"
    assert found(text)[-1][1:] == ("python", False)


@pytest.mark.parametrize(("line", "image"), [
    ("COPY --from=python:3 /a /b", "python:3"),
    ("copy --chown=1:1 --from=\"python:3\" /a /b", "python:3"),
    ("COPY --fr\\om=python:3 /a /b", "python:3"),
    ("COPY \\\n  --from=python:3 \\\n  /a /b", "python:3"),
    ("ONBUILD COPY --from=python:3 /a /b", "python:3"),
    ("RUN --network=none --mount=type=bind,from=python:3,target=/x it's", "python:3"),
    ("RUN --mount=type=cache,target=/c --mount=FROM=python:3,target=/x true", "python:3"),
    ("RUN --mount=from=$IMAGE,target=/x true", "$IMAGE"),
    ("COPY --from=later /a /b\nFROM scratch AS later", "later"),
])  # fmt: skip
def test_an_image_that_files_are_taken_from_is_one(line: str, image: str) -> None:
    assert found(f"FROM {PINNED} AS build\n{line}\n")[1:] == [(2, image, False)]


def test_files_are_taken_from_the_files_own_stages_and_pinned_images() -> None:
    lines = (
        f"COPY --from=Build a b\nCOPY --from=0 a b\nRUN --mount=from=build,target=/x true\nCOPY --from={PINNED} a b\n"
    )
    text = f"FROM {PINNED} AS build\nFROM scratch\n{lines}RUN tool --from=python:3\n"
    assert found(text) == [(1, PINNED, True), (6, PINNED, True)]


@pytest.mark.parametrize("comment", ["# syntax=docker/dockerfile:1", "#!/x\n\n//SYNTAX = docker/dockerfile:1"])
def test_the_frontend_is_an_image(comment: str) -> None:
    assert [image for _, image, _ in found(f"{comment}\nFROM {PINNED}\n# syntax=none\n")] == [
        "docker/dockerfile:1", PINNED,
    ]  # fmt: skip
    assert builds(comment)


def test_a_text_without_a_from_builds_nothing() -> None:
    assert not builds("# How to write a Dockerfile\n**/*.pyc\n")


@pytest.mark.parametrize("lines", [
    "", "USER root", "USER 0", "USER 00", "USER 0:0", "USER +0:65532", "USER root:nogroup", 'USER "root"',
    "USER ro\\ot", "USER", "USER a b", "USER 'a", "USER $U", "ARG U=root\nUSER $U", "USER ${U:-root}", "USER ${U:-0}",
    "USER ${U:+a}",
    "ARG V\nUSER $V", "ARG V\nUSER ${V}", "ENV U=root\nARG U=app\nUSER $U", "ENV U root\nUSER $U", "ARG G\nUSER $G",
    "ARG A=root U=$A\nUSER $U", "USER app\nUSER root", "USER app\nFROM b", "USER app\nFROM b\nARG G\nUSER ${G}",
    "ENV U=root\nRUN <<E\nFROM x\nE\nARG U=app\nUSER $U", "ARG U=app\nRUN <<E O\nARG U=root\nE\nUSER $U",
    "USER root\nRUN <<E\nUSER app\nE", "RUN a \\\nUSER app", "ENV U='\nUSER ${U:-app}",
])  # fmt: skip
def test_who_may_be_root(lines: str) -> None:
    assert user(f"ARG U=app\nARG G=app\nARG G\nFROM a\n{lines}\n").may_be_root


@pytest.mark.parametrize("lines", [
    "USER app", "USER 65532:0", "USER 65532", "ARG U\nUSER $U", "ARG U=root\nARG U=app\nUSER ${U}:$U", "USER ${X:-app}",
    "ARG U=root\nENV U=app\nUSER $U", "USER root\nUSER app", "USER root\nFROM b\nUSER app", "USER \\\n app",
    "USER app\nRUN <<E\nUSER $U\nE\nUSER app", "RUN <<E\nUSER root\nE\nUSER app",
])  # fmt: skip
def test_who_is_not_root(lines: str) -> None:
    assert not user(f"ARG U=app\nFROM a\n{lines}\n").may_be_root


def test_a_stage_has_the_user_of_what_it_starts_from() -> None:
    text = "FROM a AS one\nENV U=app\nUSER $U\nFROM one\n"
    assert user(text).name == "app"
    assert user(text + "USER ${U}2\n").name == "app2"
    assert user(text + "ARG U=root\nUSER $U\n").name == "app"
