"""How often a family of slices, none of which differs from the rest, yields a finding: a simulation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ml_compliance.stats.significance import LEVEL, benjamini_hochberg, differs_from_rest

BASE_RATE = 0.3
CASES = (20, 400)
SLICES = (100, 1_000, 10_000)
SEED = 20240611
TEXT = """\
## False findings among many slices

Families of slices that all have the rate {rate}, with {least} to {most} cases each (every number as likely),
{families:,} families a line, seed {seed} anew for each line. Each slice is tested against all others of its family
(`significance.differs_from_rest`), and p-values are adjusted by Benjamini and Hochberg
(`significance.benjamini_hochberg`), as in the gate. No slice differs, so that every finding is false: the share of
families with any is the false discovery rate, which is to be at most {level:.0f} %; ± is one standard error of the
simulation. Slices with a raw p-value up to that level are what would be found without the adjustment.
"""


@dataclass(frozen=True)
class Found:
    """Of so many families of slices: how many had a finding, and the share of slices with a raw p-value up to LEVEL."""

    slices: int
    families: int
    with_finding: int
    raw: float


def simulate(slices: int, families: int) -> Found:
    """Draw `families` families of slices with 20 to 400 cases each and one rate, and judge them as the gate does."""
    random = np.random.default_rng(SEED)
    with_finding = raw = 0
    for _ in range(families):
        sizes = random.integers(*CASES, size=slices, endpoint=True)
        successes = random.binomial(sizes, BASE_RATE)
        p_values = differs_from_rest(list(zip(successes.tolist(), sizes.tolist(), strict=True)))
        with_finding += min(benjamini_hochberg(p_values)) <= LEVEL
        raw += sum(p <= LEVEL for p in p_values)
    return Found(slices, families, with_finding, raw / (slices * families))


def section(families: int, slices: tuple[int, ...] = SLICES) -> Iterator[str]:
    """The lines of the section in docs/coverage.md."""
    yield TEXT.format(rate=BASE_RATE, least=CASES[0], most=CASES[1], families=families, seed=SEED, level=100 * LEVEL)
    yield "| slices in a family | families with a finding | false discovery rate | slices with such a raw p-value |"
    yield "| ---: | ---: | ---: | ---: |"
    for size in slices:
        found = simulate(size, families)
        rate = found.with_finding / families
        error = (rate * (1 - rate) / families) ** 0.5
        shown = f"{100 * rate:.1f} % ± {100 * error:.1f} %"
        yield f"| {size:,} | {found.with_finding:,} of {families:,} | {shown} | {100 * found.raw:.1f} % |"
