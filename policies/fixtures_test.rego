# METADATA
# description: A submission that every policy of `law` allows; the tests change one thing at a time.
package mlpolicy_test.fixtures

hash := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

law := {"digest": "sha256:0", "project": "p", "policies": [{"id": "r", "type": "registry"}]}

law_of(item) := {"digest": "sha256:0", "project": "p", "policies": [item]}

stating(law, minimum) := object.union(law, {"minimum": minimum})

features := [{"name": "income"}, {"name": "debt"}]

evidence(name, status, facts, measurements) := {
	"schema": "ml-compliance/evidence/v1",
	"name": name,
	"status": status,
	"reason": "",
	"coverage": {"measurements": count(measurements)},
	"facts": facts,
	"measurements": measurements,
}

measured(name, value, rest) := object.union({"name": name, "status": "measured", "value": value}, rest)

group(name, value, race, n) := measured(name, value, {
	"slice": {"race": race},
	"n": n,
	"positives": n / 2,
	"negatives": n / 2,
})

disparity(name, value) := measured(name, value, {
	"across": ["race"],
	"interval": {"low": 0.1, "high": 0.3},
	"method": {
		"minimum": {"cases": 30, "positives": 10, "negatives": 10},
		"groups": 3,
		"compared": [{"race": "a"}, {"race": "b"}],
		"excluded": [{"slice": {"race": "c"}, "n": 4, "positives": 2, "negatives": 2}],
	},
})

fairness := evidence("fairness", "measured", {"sensitive": ["race"]}, [
	group("fairness/selection_rate", 0.5, "a", 100),
	group("fairness/selection_rate", 0.7, "b", 100),
	group("fairness/selection_rate", 0.9, "c", 4),
	disparity("fairness/demographic_parity_difference", 0.2),
	disparity("fairness/demographic_parity_ratio", 0.71),
	disparity("fairness/equalized_odds_difference", 0.1),
	disparity("fairness/calibration_difference", 0.1),
])

performance := evidence("performance", "measured", {}, [
	measured("performance/accuracy", 0.9, {"n": 204, "positives": 102, "negatives": 102}),
	group("performance/accuracy", 0.8, "a", 100),
	group("performance/accuracy", 0.85, "b", 100),
	group("performance/accuracy", 0.1, "c", 4),
])

explainability := evidence(
	"explainability", "measured",
	{"technique": "SHAP", "report": {"format": "html", "path": "explainability.html", "sha256": hash}},
	[measured("explainability/mean_absolute_shap", 0.3, {"slice": {"feature": "debt"}})],
)

lineage := evidence(
	"lineage", "measured",
	{
		"model": {"registered": true},
		"training_features": features,
		"data_card": {"sha256": hash},
		"artifacts": {"raw_data_hash": {"value": hash, "source": "file"}, "commit": {"value": "d", "source": "git"}},
		"git": {"dirty": false},
		"conflicts": [],
	},
	[],
)

data_evidence := evidence(
	"data", "measured",
	{
		"suites": [{"expectations": [
			{"type": "not_null", "column": "debt", "success": false},
			{"type": "row_count", "success": false},
		]}],
		"schema_drift": [{"kind": "new_category", "column": "typur", "detail": "9 is new"}],
	},
	[
		measured("data/expectations", 5, {}),
		measured("data/failed_expectations", 2, {}),
		measured("data/schema_anomalies", 1, {}),
	],
)

submission := {
	"schema": "ml-compliance/submission/v1",
	"dataset": "holdout",
	"coverage": {"evidence": ["data", "explainability", "fairness", "lineage", "performance"]},
	"model": {
		"name": "loan",
		"artifact_registered": true,
		"data_card_generated": true,
		"training_features": features,
	},
	"evidence": {
		"data": data_evidence,
		"explainability": explainability,
		"fairness": fairness,
		"lineage": lineage,
		"performance": performance,
	},
}

replaced(path, value) := json.patch(submission, [{"op": "replace", "path": path, "value": value}])

added(path, value) := json.patch(submission, [{"op": "add", "path": path, "value": value}])

removed(path) := json.patch(submission, [{"op": "remove", "path": path}])

rules_of(findings) := {finding.rule | some finding in findings}
