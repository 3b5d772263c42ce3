"""The benchmarks' harness, and our side of each at a tiny size. What they compare with is not installed here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from benchmarks import decide, discovery, drift, fairness, gate, harness, validation
from ml_compliance.decide import Request, embedded
from ml_compliance.engine.validator import quiet
from tests.policies import cases

NUMBER: dict[str, Any] = {"type": ["number", "null"], "exclusiveMinimum": 0}
WHOLE: dict[str, Any] = {"type": ["integer", "null"], "minimum": 1}
KEYS = {
    "name": {"type": "string", "minLength": 1},
    "rows": WHOLE,
    "ours_s": NUMBER,
    "peer": {"type": ["string", "null"], "minLength": 1},
    "peer_s": NUMBER,
    "floor_s": NUMBER,
    "ratio_peer": NUMBER,
    "ratio_floor": NUMBER,
    "ours_peak_mib": WHOLE,
    "peer_peak_mib": WHOLE,
}
SCHEMA = {
    "type": "array",
    "items": {"type": "object", "properties": KEYS, "required": [*KEYS], "additionalProperties": False},
}


def allocate(mib: int) -> Callable[[], Any]:
    """A side that holds so much memory."""
    return lambda: len(b"x" * (mib << 20))


def broken() -> Callable[[], Any]:
    """A side that cannot be prepared."""
    raise ValueError("no such table")


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long something takes is not what is tested."""
    monkeypatch.setattr(harness, "ENOUGH", 0.0)


def run(name: str, *arguments: str) -> Result:
    return CliRunner().invoke(harness.command(name), arguments)


def test_the_peak_is_that_of_the_work_and_not_of_who_started_it() -> None:
    ballast = b"x" * (300 << 20)
    small, large = harness.measure(allocate, mib=1), harness.measure(allocate, mib=200)
    assert len(ballast) == 300 << 20
    assert large.answer == 200 << 20
    assert small.peak_mib is not None
    assert large.peak_mib is not None
    assert small.peak_mib < 200 <= large.peak_mib < small.peak_mib + 300


def test_a_side_that_fails_ends_the_benchmark_with_its_reason() -> None:
    with pytest.raises(click.ClickException, match="no such table"):
        harness.measure(broken)


def test_short_work_is_repeated_and_long_work_is_not() -> None:
    runs = count(1)
    assert harness.seconds_of(lambda: next(runs), 10.0)[1] == harness.RUNS
    assert harness.seconds_of(lambda: next(runs), 0.0)[1] == harness.RUNS + 1


@pytest.mark.parametrize(("size", "seconds", "asked"), [(50, 7.5, [50]), (20, 4.5, [20]), (1000, 102.5, [100, 200])])
def test_larger_sizes_lie_on_the_line_through_two_smaller_ones(size: int, seconds: float, asked: list[int]) -> None:
    given: list[int] = []

    def cost(rows: int) -> harness.Cost:
        given.append(rows)
        return harness.Cost(2.5 + rows / 10, rows)

    peer = harness.on_line("peer", "rows", size, (100, 200), cost)
    assert given == asked
    assert peer.cost.seconds == pytest.approx(seconds)
    assert peer.cost.peak_mib == asked[-1]
    assert (peer.name == "peer") == (size <= 200)


def test_noise_does_not_make_a_larger_peer_faster() -> None:
    peer = harness.on_line("peer", "rows", 300, (1, 2), lambda rows: harness.Cost(9.0 / rows, 1))
    assert peer.cost.seconds == 4.5


def test_ratios_say_how_many_times_as_long(capsys: pytest.CaptureFixture[str]) -> None:
    peer = harness.Peer("other", harness.Cost(6.0, 400))
    one = harness.result("name", 5, harness.Cost(2.0, 100), harness.Cost(0.5, 30), peer)
    assert (one.ratio_peer, one.ratio_floor) == (3.0, 4.0)
    harness.show(one, Console(soft_wrap=True), first=True)
    shown = capsys.readouterr().out
    assert "name, 5 rows; load " in shown
    assert "ours takes 4 × as long" in shown
    assert "3 × as long, 4 × the memory" in shown
    jsonschema.validate([asdict(one), asdict(harness.result("alone", None, harness.Cost(2.0, None)))], SCHEMA)


def test_the_gate_is_measured_and_written_as_json(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    done = run("gate", "--rows", "200", "--json", str(file))
    assert done.exit_code == 0, done.output
    found = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(found, SCHEMA)
    assert [(one["name"], one["rows"]) for one in found] == [("gate", 200), ("--help", None)]
    # What --help costs above click is within the noise of a busy machine.
    assert found[0]["floor_s"] < found[0]["ours_s"]
    assert found[1]["floor_s"] > 0
    assert "measure fairness" in done.stdout


def test_decisions_are_timed_one_by_one() -> None:
    request = Request(cases.ALLOWED, cases.law(cases.POLICIES[2]))
    larger = decide.with_groups(request, 20)
    answer = embedded.evaluate(larger).result
    assert len([found for found in answer["violation"] if found["slice"].get("race", "").startswith("group")]) == 2
    assert len(decide._times(lambda: embedded.evaluate(larger))) == 2  # `ENOUGH` is nothing here


def test_a_peer_that_is_missing_is_no_benchmark_that_passed(tmp_path: Path) -> None:
    done = run("drift", "--rows", "10", "--json", str(tmp_path / "found.json"))
    assert done.exit_code == 2
    assert "evidently not installed: `make bench`" in done.stderr
    assert not list(tmp_path.iterdir())


def test_json_that_cannot_be_written_is_known_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("gate", "--json", str(tmp_path / "file" / "found.json"))
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
    assert "…" not in done.stderr


def test_fairness_counts_every_slice_of_both_sides(tmp_path: Path) -> None:
    path = str(tmp_path / "rows.parquet")
    for case in fairness.cases(4_000)[:2]:
        fairness.write(Path(path), case.rows, case.attributes)
        given: dict[str, Any] = {"path": path, "attributes": list(case.attributes), "scores": case.scores}
        assert fairness.ours(**given)() > 100
        assert fairness.metric_frame(**given, rows=4_000, resamples=0)() == 40


def test_drift_compares_all_columns(tmp_path: Path) -> None:
    drift.write(tmp_path, 10, 500)
    assert drift.ours(str(tmp_path), 10)() > 10
    assert drift.scipy(str(tmp_path), 10)() == 48
    assert len(drift.floor(str(tmp_path), 10)()) == 2


@pytest.mark.parametrize("suffix", validation.FORMATS)
def test_validation_gives_the_results_of_pandas(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table.{suffix}"
    validation.write(path, 20_000)
    with quiet():
        mine, theirs = (side(str(path))() for side in (validation.ours, validation.pandas))
    assert validation.differences(mine, theirs) == []
    assert {one["success"] for one in mine} == {True, False}
    theirs[4]["unexpected_count"] += 1
    theirs[13]["observed"] *= 1.001
    assert len(validation.differences(mine, theirs)) == 2


def test_the_gates_program_must_end_as_it_may() -> None:
    with pytest.raises(SystemExit, match="ended with 3"):
        gate.program(["-c", "raise SystemExit(3)"], [0, 1])()


def test_the_page_on_coverage_says_what_was_run() -> None:
    page = (harness.ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    section = "\n".join(discovery.section(1_000, slices=(100,)))
    assert section in page
    assert [line.split(" | ")[0] for line in page.splitlines()[-3:]] == [f"| {size:,}" for size in discovery.SLICES]


def test_families_of_slices_that_do_not_differ_seldom_have_findings() -> None:
    found = discovery.simulate(200, 200)
    assert 0 < found.with_finding <= 18
    assert 0.03 < found.raw < 0.05


def test_resamples_are_scaled_from_few_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(side: harness.Side, *, rows: int, resamples: int, **_: Any) -> harness.Cost:
        assert (side, rows) == (fairness.metric_frame, 100_000)
        return harness.Cost(2.0 + 3.0 * resamples, 1)

    monkeypatch.setattr(harness, "measure", measure)
    plain = harness.Peer("without", harness.Cost(20.0, 1))
    peer = fairness._resampled(fairness.cases(1_000_000)[0], {}, plain)
    assert peer.cost.seconds == pytest.approx((2.0 + 3.0 * 1_000) * 10)
    assert "1,000 resamples from 1 and 3 on 100,000 rows" in peer.name
