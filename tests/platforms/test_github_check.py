"""The check run: every annotation arrives, within every limit, and the next run finds what it compares with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ml_compliance.documents import canonical
from ml_compliance.model import Report
from ml_compliance.platforms import ApiError, Run, Wish, _github_check
from ml_compliance.platforms import github as platform
from ml_compliance.platforms._github_limits import CHUNK
from ml_compliance.publish import snapshot as sink
from ml_compliance.publish.check_run import ANNOTATIONS
from tests.platforms.github_server import BASE, Answer, Fault, GitHub
from tests.publish import reports

BROKEN: Answer = (502, {"message": "Server Error"}, {})


def only(github: GitHub) -> dict[str, Any]:
    (check,) = github.checks.values()
    return check


def lines(github: GitHub) -> list[int]:
    return [item["start_line"] for item in only(github)["annotations"]]


def many(count: int = 237) -> Report:
    report = reports.huge(count, 10)
    return replace(report, decision=replace(report.decision, warnings=(), waived=(), insufficient=()))


@pytest.mark.parametrize(
    ("report", "conclusion"),
    [(reports.denied, "failure"), (reports.allowed, "success"), (reports.not_evaluated, "failure")],
)
def test_the_conclusion_is_the_verdict(
    github: GitHub, run: Run, wish: Wish, report: Callable[[], Report], conclusion: str
) -> None:
    _github_check.deliver(report(), run, platform.connect(run), wish)
    check = only(github)
    assert (check["conclusion"], check["status"], check["head_sha"]) == (conclusion, "completed", run.commit)


def test_237_annotations_arrive_each_once(github: GitHub, run: Run, wish: Wish) -> None:
    found = _github_check.deliver(many(), run, platform.connect(run), wish)
    assert found.status == "delivered"
    assert sorted(lines(github)) == list(range(1, 238))
    sizes = [len(body["output"].get("annotations", ())) for _, _, _, body in github.seen if body]
    assert sizes == [50, 50, 50, 50, 37, 0]
    assert only(github)["conclusion"] == "failure"


@pytest.mark.parametrize("answer", [BROKEN, (0, None, {})])
@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_doubles_and_drops_none(
    github: GitHub, run: Run, wish: Wish, waits: list[float], applied: bool, answer: Answer
) -> None:
    github.faults.append(Fault("PATCH", "/check-runs", answer, times=2, applied=applied))
    _github_check.deliver(many(), run, platform.connect(run), wish)
    assert sorted(lines(github)) == list(range(1, 238))


def test_what_has_failed_is_concluded_and_gone_on_with(
    github: GitHub, run: Run, wish: Wish, waits: list[float]
) -> None:
    def deny(method: str, path: str) -> None:
        patches = [seen for seen in github.seen if seen[0] == "PATCH"]
        if len(patches) == 2 and not github.faults:
            github.faults.append(Fault("PATCH", "/check-runs", (422, {"message": "Validation Failed"}, {})))

    github.before = deny
    with pytest.raises(ApiError, match="422"):
        _github_check.deliver(many(), run, platform.connect(run), wish)
    assert len(lines(github)) == 2 * CHUNK
    assert only(github)["conclusion"] == "failure"
    _github_check.deliver(many(), run, platform.connect(run), wish)
    assert sorted(lines(github)) == list(range(1, 238))


def test_a_huge_report_stays_inside_every_limit_and_says_what_it_left_out(github: GitHub, run: Run, wish: Wish) -> None:
    report = reports.huge()
    found = _github_check.deliver(report, run, platform.connect(run), wish)
    assert len(lines(github)) == ANNOTATIONS
    assert found.status == "delivered"
    assert "4,003 more annotations in `report.html`" in str(only(github)["output"])


def test_the_base_is_found_by_name_and_app(github: GitHub, run: Run, wish: Wish) -> None:
    snapshot = json.loads(sink.render(reports.denied()).text)
    before = replace(run, commit=BASE, number=50)
    api = platform.connect(run)
    none = f"no check run named gate on {BASE[:12]} by the app github-actions"
    assert platform.baseline(run, api, wish.name) == none
    _github_check.deliver(reports.denied(), before, api, wish)
    assert platform.baseline(run, api, wish.name) == snapshot
    assert platform.baseline(replace(run, base=""), api, wish.name) == ""
    assert platform.baseline(run, api, "another") == none.replace("gate", "another")
    only(github)["output"]["text"] = "nothing"
    assert "no snapshot that can be read" in str(platform.baseline(run, api, wish.name))
    only(github)["app"] = {"slug": "somebody"}
    assert platform.baseline(run, api, wish.name) == none


def test_the_base_of_another_app_is_found_by_its_own_token(github: GitHub, run: Run, wish: Wish) -> None:
    github.login = "our-app[bot]"
    _github_check.deliver(reports.denied(), replace(run, commit=BASE), platform.connect(run), wish)
    assert isinstance(platform.baseline(run, platform.connect(run), wish.name), dict)
    github.login = "mallory"
    assert "personal token" in str(platform.baseline(run, platform.connect(run), wish.name))


def test_a_snapshot_that_is_too_large_or_broken_is_none() -> None:
    packed = _github_check.pack(canonical({"a": 1}))
    assert _github_check.unpack(packed) == {"a": 1}
    assert _github_check.unpack(packed.replace("v1 e", "v1 f")) is None
    assert _github_check.unpack(_github_check.pack(canonical({"a": "x" * (5 * 1024 * 1024)}))) is None
    assert _github_check.unpack("") is None


def test_hostile_names_are_dead_in_the_check(github: GitHub, run: Run, wish: Wish) -> None:
    _github_check.deliver(reports.hostile(), run, platform.connect(run), wish)
    summary = str(only(github)["output"]["summary"])
    assert "@everyone" not in summary
    assert "<script" not in re.sub(r"`[^`\n]*`", "", summary)  # in a code span it is text
    for note in only(github)["annotations"]:
        assert "\n" not in note["path"] + note["title"]
        assert "\u202e" not in note["message"]
