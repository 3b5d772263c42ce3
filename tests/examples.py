"""A small, complete and coherent set of evidence that tests of the later rooms start from."""

from __future__ import annotations

from typing import Any

from ml_compliance.model import Evidence, FileDigest, Interval, Json, Measurement

GROUPS = {"Black": (79, 54), "Hispanic": (51, 39), "white": (662, 596)}
P_VALUES = {
    "Black": {"p": 5.31403e-7, "p_adjusted": 1.06281e-6},
    "Hispanic": {"p": 0.0361141, "p_adjusted": 0.0481522},
    "white": {"p": 5.24804e-8, "p_adjusted": 2.09922e-7},
    "Asian": {"p": 1.0, "p_adjusted": 1.0},
}


def interval(low: float, high: float, method: str = "wilson") -> Interval:
    return Interval(low, high, 0.95, method)


def fairness() -> Evidence:
    rates = [
        Measurement(
            "fairness/selection_rate", selected / n, slice={"race": group}, n=n, positives=n // 2, negatives=n - n // 2,
            interval=interval(max(0.0, selected / n - 0.1), min(1.0, selected / n + 0.1)),
            method={"against_rest": P_VALUES[group]},
        )
        for group, (n, selected) in GROUPS.items()
    ]  # fmt: skip
    method: dict[str, Any] = {
        "minimum": {"cases": 30, "positives": 10, "negatives": 10},
        "groups": 4,
        "compared": [{"race": "Black"}, {"race": "Hispanic"}, {"race": "white"}],
        "excluded": [{"slice": {"race": "Asian"}, "n": 8, "positives": 7, "negatives": 1}],
        "over_every_group": 0.25,
    }
    tested: dict[str, Any] = {**method, "tests": [{"limit": 0.05, "p": 0.000361507, "p_adjusted": 0.000361507}]}
    significance: dict[str, Json] = {
        "adjustment": "Benjamini–Hochberg", "level": 0.05,
        "groups": {"test": "χ² with Yates's correction, of a group against all others", "tests": 4, "findings": 3},
        "disparities": {"test": "the interval, inverted", "tests": 1, "findings": 1},
    }  # fmt: skip
    return Evidence(
        "fairness",
        "measured",
        (
            *rates,
            Measurement("fairness/selection_rate", 0.875, slice={"race": "Asian"}, n=8, positives=7, negatives=1,
                        interval=interval(0.53, 0.98), method={"against_rest": P_VALUES["Asian"]}),
            Measurement("fairness/true_positive_rate", None, "not_estimable", slice={"race": "Asian"}, n=0,
                        reason="the group has no positives"),
            Measurement("fairness/demographic_parity_difference", 0.2165, across=("race",), n=792, positives=400,
                        negatives=392, interval=interval(0.13, 0.31, "simultaneous Newcombe"), method=tested),
            Measurement("fairness/demographic_parity_ratio", 0.7594, across=("race",), n=792, positives=400,
                        negatives=392, interval=interval(0.66, 0.86, "simultaneous Wilson"), method=method),
            Measurement("fairness/equalized_odds_difference", 0.11, across=("race",), n=792, positives=400,
                        negatives=392, interval=interval(0.02, 0.2, "simultaneous Newcombe"), method=method),
        ),
        facts={"attributes": {"race": 4}, "sensitive": ["race"], "significance": significance},
        rows=800,
    )  # fmt: skip


def performance() -> Evidence:
    return Evidence(
        "performance",
        "measured",
        (
            Measurement("performance/accuracy", 0.9, n=800, positives=400, negatives=400,
                        interval=interval(0.88, 0.92)),
            Measurement("performance/roc_auc", 0.81, n=800, positives=400, negatives=400,
                        interval=interval(0.78, 0.84)),
            Measurement("performance/log_loss", 0.3, n=800, positives=400, negatives=400,
                        interval=interval(0.27, 0.33)),
            Measurement("performance/accuracy", 0.8, slice={"race": "Black"}, n=79, positives=40, negatives=39,
                        interval=interval(0.7, 0.87)),
            Measurement("performance/accuracy", 0.92, slice={"race": "white"}, n=662, positives=330, negatives=332,
                        interval=interval(0.9, 0.94)),
        ),
        facts={"dataset": "validation_holdout"},
        rows=800,
    )  # fmt: skip


def data() -> Evidence:
    expectations: list[Json] = [
        {"type": "expect_column_values_to_not_be_null", "column": "loanamt", "success": True, "kwargs": {},
         "element_count": 800, "unexpected_count": 0, "unexpected_percent": 0.0, "examples": []},
        {"type": "expect_column_values_to_be_between", "column": "hrat", "success": False,
         "kwargs": {"min_value": 0, "max_value": 60}, "element_count": 800, "unexpected_count": 3,
         "unexpected_percent": 0.375, "examples": ["17", "203", "551"]},
    ]  # fmt: skip
    return Evidence(
        "data",
        "measured",
        (
            Measurement("data/expectations", 2.0, n=2),
            Measurement("data/failed_expectations", 1.0, n=2),
            Measurement("data/schema_anomalies", 1.0, n=1),
        ),
        facts={
            "suites": [{"name": "inline", "evaluated": 2, "failed": 1, "expectations": expectations}],
            "schema_drift": [
                {"kind": "new_category", "column": "typur", "detail": "9 (2 rows) is not in the reference"}
            ],
        },
        rows=800,
    )


def explainability() -> Evidence:
    importance = {"obrat": 0.31, "loanprc": 0.22, "chist": 0.12}
    return Evidence(
        "explainability",
        "measured",
        tuple(
            Measurement("explainability/mean_absolute_shap", value, slice={"feature": feature}, n=200)
            for feature, value in importance.items()
        ),
        facts={
            "technique": "SHAP",
            "explainer": "LinearExplainer",
            "output": "log-odds",
            "report": {"path": "explainability.html", "sha256": "a" * 64, "format": "html"},
            "local": [{"row": "17", "contributions": [{"feature": "obrat", "value": 61.0, "shap": -0.9}]}],
        },
        rows=200,
    )


def lineage() -> Evidence:
    return Evidence(
        "lineage",
        "measured",
        facts={
            "model": {
                "name": "loan-approval", "version": "1", "uri": "models:/loan-approval/1", "registered": True,
                "aliases": ["challenger"], "tags": {"owner": "credit-risk"}, "params": {"C": "1.0"}, "run_id": "f" * 32,
            },
            "training_features": [
                {"name": "obrat", "type": "double"},
                {"name": "loanprc", "type": "double"},
                {"name": "chist", "type": "long"},
            ],
            "data_card": {"path": "data_card.md", "sha256": "b" * 64},
            "artifacts": {
                "raw_data_hash": {"value": "c" * 64, "source": "run parameter raw_data_sha256"},
                "processing_code_commit": {"value": "d" * 40, "source": "git"},
            },
            "git": {"commit": "d" * 40, "dirty": False},
        },
        files=(FileDigest("model/model.pkl", "e" * 64, 4096), FileDigest("test.csv", "c" * 64, 65536)),
    )  # fmt: skip


def evidence() -> tuple[Evidence, ...]:
    return data(), explainability(), fairness(), lineage(), performance()
