"""How often the interval of a max–min disparity covers the truth, and how wide it is: a simulation, by cell.

Beside it stand the interval of the unadjusted pairs and the percentile bootstrap that fairlearn's MetricFrame offers;
below it, how often many slices that do not differ yield a finding. `python -m benchmarks.coverage --write
docs/coverage.md` takes two minutes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import discovery
from ml_compliance.files import write
from ml_compliance.stats.intervals import CONFIDENCE, normal_quantile, range_of_rates, studentized_range_quantile

BASE_RATE = 0.3
RESAMPLES = 400
BOOTSTRAPPED = 400
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Cell:
    """k groups, the smallest of n cases, the first of which has a rate that is higher by `gap`."""

    k: int
    n: int
    gap: float
    equal: bool

    def sizes(self) -> Array:
        """Cases per group: all n, or from n to 20 n in equal steps of the logarithm."""
        if self.equal:
            return np.full(self.k, self.n)
        return np.round(np.geomspace(self.n, 20 * self.n, self.k)).astype(int)


def cells() -> Iterator[Cell]:
    for equal in (True, False):
        for k in range(2, 9):
            for n in (50, 500, 5_000):
                for gap in (0.0, 0.05, 0.2):
                    yield Cell(k, n, gap, equal)


def bounds(successes: Array, sizes: Array, z: float) -> tuple[Array, Array]:
    """`intervals.range_bounds` for many draws at once: successes is (draws, k)."""
    p = successes / sizes
    scale = 1 + z * z / sizes
    centre = (p + z * z / (2 * sizes)) / scale
    half = z * np.sqrt(p * (1 - p) / sizes + z * z / (4 * sizes**2)) / scale
    low, high = np.minimum(np.maximum(0, centre - half), p), np.maximum(np.minimum(1, centre + half), p)
    below, above = (p - low) ** 2, (high - p) ** 2
    gap = p[:, :, None] - p[:, None, :]
    lower = (gap - np.sqrt(below[:, :, None] + above[:, None, :])).max(axis=(1, 2))
    upper = (gap + np.sqrt(above[:, :, None] + below[:, None, :])).max(axis=(1, 2))
    return np.maximum(0, lower), np.minimum(1, upper)


def percentile(successes: Array, sizes: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """Percentile bootstrap of max − min: each group's cases are drawn again, `RESAMPLES` times."""
    again = random.binomial(sizes, successes / sizes, size=(RESAMPLES, *successes.shape)) / sizes
    ranges = again.max(axis=2) - again.min(axis=2)
    low, high = np.quantile(ranges, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return low, high


def judge(cell: Cell, draws: int, random: np.random.Generator) -> list[tuple[float, float]]:
    """Coverage and mean width of ours, of unadjusted pairs, and of the percentile bootstrap."""
    sizes = cell.sizes()
    truth = np.full(cell.k, BASE_RATE)
    truth[0] += cell.gap
    successes = random.binomial(sizes, truth, size=(draws, cell.k))
    tukey = studentized_range_quantile(CONFIDENCE, cell.k) / math.sqrt(2)
    found = [
        bounds(successes, sizes, tukey),
        bounds(successes, sizes, normal_quantile(CONFIDENCE)),
        percentile(successes[:BOOTSTRAPPED], sizes, random),
    ]
    one = range_of_rates([(int(x), int(n)) for x, n in zip(successes[0], sizes, strict=True)])
    if not np.allclose(one, (found[0][0][0], found[0][1][0])):
        raise SystemExit("the simulated interval is not the one that the gate uses")
    covers = [float(np.mean((low <= cell.gap + 1e-12) & (cell.gap <= high + 1e-12))) for low, high in found]
    widths = [float(np.mean(high - low)) for low, high in found]
    return list(zip(covers, widths, strict=True))


def table(draws: int) -> tuple[str, float]:
    """The table as Markdown, and the least coverage of ours."""
    random = np.random.default_rng(20240611)
    lines = [
        "| groups | sizes | n (smallest) | true difference | ours: coverage | width | unadjusted pairs | width "
        "| percentile bootstrap | width |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    least = 1.0
    for cell in cells():
        results = judge(cell, draws, random)
        least = min(least, results[0][0])
        shown = " | ".join(f"{100 * coverage:.1f} % | {width:.3f}" for coverage, width in results)
        sizes = "equal" if cell.equal else "n to 20 n"
        lines.append(f"| {cell.k} | {sizes} | {cell.n:,} | {cell.gap} | {shown} |")
    return "\n".join(lines), least


@click.command(help=__doc__)
@click.option("--draws", type=click.IntRange(min=BOOTSTRAPPED), default=10_000, show_default=True)
@click.option("--families", type=click.IntRange(min=1), default=1_000, show_default=True)
@click.option("--write", "file", type=click.Path(dir_okay=False, path_type=Path))
def main(draws: int, families: int, file: Path | None) -> None:
    """Print both tables, and write them."""
    rows, least = table(draws)
    head = (
        "# Coverage of the interval of a max–min disparity\n\n"
        f"Nominal 95 %, base rate {BASE_RATE}, {draws:,} draws a cell ({BOOTSTRAPPED} for the bootstrap, of\n"
        f"{RESAMPLES} resamples each), seed 20240611. Ours is the pairwise Newcombe interval at Tukey's studentised\n"
        "range; the first group is the one that differs. Made by\n"
        f"`python -m benchmarks.coverage --draws {draws} --families {families}`.\n\n"
        f"Least coverage of ours in any cell: {100 * least:.1f} %.\n\n"
    )
    text = head + rows + "\n\n" + "\n".join(discovery.section(families)) + "\n"
    print(text)
    if file:
        write(file, text)


if __name__ == "__main__":
    main()
