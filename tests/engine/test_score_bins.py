"""Bins of the score are the same in the engine as by hand, also where scores lie on their edges."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_compliance.engine import score_bins
from ml_compliance.stats.calibration import Reliability, cutoffs
from ml_compliance.stats.rollup import roll_up
from tests.engine.test_cube import drawn, judged

BOTH = ("race", "sex")
EDGES = st.integers(0, 1000).map(lambda k: k / 1000)
BESIDE = EDGES.flatmap(lambda edge: st.sampled_from([edge, np.nextafter(edge, 0), min(1.0, np.nextafter(edge, 1))]))
SCORES = st.lists(st.floats(0, 1) | BESIDE.map(float), min_size=1, max_size=60)


@settings(max_examples=100, deadline=None)
@given(SCORES, st.sampled_from([2, 7, 10, 100, 1000]))
def test_a_bin_contains_its_lower_edge(scores: list[float], bins: int) -> None:
    table = ibis.memtable(pa.table({"score": pa.array(scores, pa.float64())}))
    found = table.select(bin=score_bins._bin(table.score, bins)).to_pyarrow()["bin"].to_pylist()
    assert found == [max(k for k in range(bins + 1) if k / bins <= score) for score in scores]


@pytest.mark.parametrize("shape", ["even", "rare", "ends"])
def test_bins_add_up_to_what_the_rows_are(shape: str) -> None:
    data = drawn(shape)
    cells = {cell: fine.coarser(10, 10) for cell, fine in score_bins.score_bins(judged(**data), BOTH, 100).items()}
    assert len(cells) == 6
    for names in ((), ("race",), BOTH):
        for group, found in roll_up(cells, BOTH, names).items():
            inside = np.ones(len(data["label"]), bool)
            for name, value in zip(names, group, strict=True):
                inside &= data[name] == value
            _check(found, data["score"][inside], data["label"][inside])


def _check(found: Reliability, score: Any, label: Any) -> None:
    number = np.minimum(np.searchsorted(np.arange(1, 11) / 10, score, side="right"), 9)
    assert list(found.bins) == np.unique(number).tolist()
    for one, part in found.bins.items():
        inside = number == one
        assert (part.n, part.positives) == (inside.sum(), label[inside].sum())
        assert float(part.score) == pytest.approx(score[inside].sum(), abs=1e-12)


def test_cutoffs_count_scores_of_at_least_that() -> None:
    data = drawn("ends")
    table = judged(**data)
    for names in ((), ("sex",)):
        for group, fine in score_bins.score_bins(table, names, 20).items():
            found = cutoffs(fine, 20)
            inside = data["sex"] == group[0] if names else data["label"] >= 0
            for k in range(21):
                selected = inside & (data["score"] >= k / 20)
                expected = (data["label"][selected] == 1).sum(), (data["label"][selected] == 0).sum()
                assert (found.true_positives[k], found.false_positives[k]) == expected
            assert (found.n, found.positives) == (inside.sum(), data["label"][inside].sum())


def test_the_cutoff_in_use_is_found_where_there_is_one() -> None:
    data = drawn("even")
    found = score_bins.cutoff_in_use(judged(**data))
    assert found == data["score"][data["score"] >= 0.5].min()
    table = judged(**data)
    swapped = table.table.mutate(prediction=1 - table.table.prediction)
    assert score_bins.cutoff_in_use(type(table)(swapped, table.attributes, True, table.rows, "t")) is None
