package mlpolicy_test.rules.fairness

import data.mlpolicy.rules.fairness
import data.mlpolicy_test.fixtures

item(rest) := object.union(
	{
		"id": "f", "type": "fairness", "metric": "demographic_parity_difference", "threshold": 0.2,
		"sensitive_attributes": ["race"],
	},
	rest,
)

found(submission, rest) := violations if {
	violations := fairness.violation with input as submission
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

rules(submission, rest) := fixtures.rules_of(found(submission, rest))

test_limit_is_inclusive if {
	rules(fixtures.submission, {}) == set()
	rules(fixtures.submission, {"metric": "demographic_parity_ratio", "threshold": 0.71}) == set()
}

test_difference_above_the_limit if {
	some finding in found(fixtures.submission, {"threshold": 0.19})
	finding.rule == "fairness.limit_exceeded"
	finding.interval == [0.1, 0.3]
	finding.values.lowest == {"group": {"race": "a"}, "n": 100, "value": 0.5}
	finding.values.highest.group == {"race": "b"}
	finding.values.what == "selection rate"
}

test_ratio_below_the_limit if {
	rules(fixtures.submission, {"metric": "demographic_parity_ratio", "threshold": 0.8}) == {"fairness.ratio_too_low"}
}

test_metric_without_words_or_rates if {
	some finding in found(fixtures.submission, {"metric": "calibration_difference", "threshold": 0.05})
	finding.values.what == "calibration_difference"
	not "lowest" in object.keys(finding.values)
}

test_intersection_is_a_list if rules(fixtures.submission, {"sensitive_attributes": [["race"]]}) == set()

reason(submission, rest) := finding.values.reason if {
	some finding in found(submission, rest)
	finding.rule == "fairness.not_measured"
}

test_reasons if {
	fit := "its value, its groups and their selection rates do not fit together"
	method := "/evidence/fairness/measurements/3/method"
	measurement := "/evidence/fairness/measurements/3"
	reason(fixtures.submission, {"sensitive_attributes": ["sex"]}) == "it is not among the measurements"
	reason(fixtures.removed("/evidence/fairness"), {}) == "there is no evidence of this kind"
	reason(fixtures.added("/evidence/fairness/measurements/-", fixtures.fairness.measurements[3]), {}) == "it is there more than once"
	reason(fixtures.replaced(concat("/", [measurement, "status"]), "not_estimable"), {}) == "no usable number was given"
	unknown := json.patch(fixtures.submission, [
		{"op": "replace", "path": concat("/", [measurement, "status"]), "value": "not_estimable"},
		{"op": "add", "path": concat("/", [measurement, "reason"]), "value": "too few"},
	])
	reason(unknown, {}) == "too few"
	missing := json.patch(fixtures.submission, [
		{"op": "replace", "path": "/evidence/fairness/status", "value": "missing"},
		{"op": "replace", "path": "/evidence/fairness/reason", "value": "no attribute"},
	])
	reason(missing, {}) == "no attribute"
	reason(fixtures.replaced(concat("/", [measurement, "value"]), -1), {}) == fit
	reason(fixtures.replaced(concat("/", [method, "groups"]), 2), {}) == fit
	reason(fixtures.replaced(concat("/", [method, "compared"]), [{"race": "a"}, 7]), {}) == fit
	reason(fixtures.replaced(concat("/", [method, "compared"]), [{"race": "a"}]), {}) == "fewer than two groups were compared"
	reason(fixtures.replaced(concat("/", [measurement, "across"]), "race"), {}) == "it is not among the measurements"
}

test_law_with_a_higher_minimum if {
	law := fixtures.stating(fixtures.law_of(item({})), {"cases": 40})
	violations := fairness.violation with input as fixtures.submission with data.mlpolicy.law as law
	fixtures.rules_of(violations) == {"fairness.minimum_too_low"}
}

test_large_group_left_out if {
	law := fixtures.stating(fixtures.law_of(item({})), {"cases": 3, "positives": 1, "negatives": 1})
	violations := fairness.violation with input as fixtures.submission with data.mlpolicy.law as law
	fixtures.rules_of(violations) == {"fairness.group_left_out"}
	{finding.values.groups | some finding in violations} == {[{"group": {"race": "c"}, "n": 4}]}
}

test_other_dataset if {
	rules(fixtures.submission, {"dataset": "holdout"}) == set()
	rules(fixtures.submission, {"dataset": "live"}) == {"fairness.other_dataset"}
	rules(fixtures.removed("/dataset"), {"dataset": "live"}) == {"fairness.other_dataset"}
}

test_group_beside_its_counts if {
	flat := fixtures.replaced(
		"/evidence/fairness/measurements/3/method/excluded",
		[{"race": "c", "n": 4, "positives": 2, "negatives": 2}],
	)
	rules(flat, {}) == set()
	lacks := fairness.insufficient with input as flat with data.mlpolicy.law as fixtures.law_of(item({}))
	{lack.values.groups | some lack in lacks} == {[{"group": {"race": "c"}, "n": 4}]}
}

test_malformed[key] if {
	some key, wrong in {"metric": "", "threshold": "0.1", "sensitive_attributes": [[]], "dataset": null, "other": 1}
	law := fixtures.law_of(item({key: wrong}))
	fairness.malformed == {{"policy": "f", "key": key}} with data.mlpolicy.law as law
	fairness.judged == set() with data.mlpolicy.law as law
}
