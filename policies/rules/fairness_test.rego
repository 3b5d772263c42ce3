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
	fit := "its value, its groups and their rates do not fit together"
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
	some key, wrong in {"metric": "", "threshold": "0.1", "sensitive_attributes": [[]], "dataset": null, "other": 1, "class": 3, "decide_on": "mood"}
	law := fixtures.law_of(item({key: wrong}))
	fairness.malformed == {{"policy": "f", "key": key}} with data.mlpolicy.law as law
	fairness.judged == set() with data.mlpolicy.law as law
}

test_mean_of_two_ratios_is_a_ratio if {
	submission := fixtures.added(
		"/evidence/fairness/measurements/-",
		fixtures.disparity("fairness/equalized_odds_ratio_mean", 0.3),
	)
	rules(submission, {"metric": "equalized_odds_ratio_mean", "threshold": 0.8}) == {"fairness.ratio_too_low"}
}

test_bound if {
	rules(fixtures.submission, {"decide_on": "bound", "threshold": 0.3}) == set()
	some finding in found(fixtures.submission, {"decide_on": "bound", "threshold": 0.29})
	finding.rule == "fairness.limit_exceeded"
	finding.values.side == " for the upper end of the interval"
	wide := fixtures.replaced("/evidence/fairness/measurements/4/interval", {"low": 0.5, "high": 0.9})
	ratio := {"metric": "demographic_parity_ratio", "decide_on": "bound"}
	rules(wide, object.union(ratio, {"threshold": 0.5})) == set()
	rules(wide, object.union(ratio, {"threshold": 0.51})) == {"fairness.ratio_too_low"}
}

test_bound_without_interval[wrong] if {
	some wrong in [null, {"low": 0.1}, {"low": "0", "high": 0.3}, {"low": 0.25, "high": 0.3}, {"low": 0.1, "high": 0.15}]
	submission := fixtures.replaced("/evidence/fairness/measurements/3/interval", wrong)
	reason(submission, {"decide_on": "bound"}) == "the law decides on the bound, and there is no interval"
	rules(submission, {}) == set()
}

classes := ["red", "blue"]

of_class(measurement, class) := object.union(
	measurement,
	{"slice": object.union(object.get(measurement, "slice", {}), {"class": class})},
)

several := json.patch(fixtures.submission, [{"op": "replace", "path": "/evidence/fairness", "value": evidence}]) if {
	evidence := object.union(
		fixtures.evidence("fairness", "measured", {"task": "multiclass", "classes": classes}, array.concat(
			[of_class(measurement, "red") | some measurement in array.slice(fixtures.fairness.measurements, 0, 4)],
			[of_class(object.union(measurement, {"value": 0.1}), "blue") |
				some measurement in array.slice(fixtures.fairness.measurements, 0, 4)
			],
		)),
		{},
	)
}

test_every_class if {
	rules(several, {}) == set()
	violations := found(several, {"threshold": 0.15})
	{[finding.rule, finding.slice, finding.values.what] | some finding in violations} == {[
		"fairness.limit_exceeded",
		{"class": "red"},
		"selection rate of class red",
	]}
	{finding.values.lowest | some finding in violations} == {{"group": {"race": "a"}, "n": 100, "value": 0.5}}
}

test_one_class if {
	rules(several, {"threshold": 0.15, "class": "blue"}) == set()
	rules(several, {"threshold": 0.15, "class": "red"}) == {"fairness.limit_exceeded"}
	rules(several, {"class": "green"}) == {"fairness.not_measured"}
	rules(fixtures.submission, {"class": "red"}) == {"fairness.not_measured"}
}

test_a_class_that_is_missing[path] if {
	some path in ["classes", "classes/0", "classes/1"]
	submission := json.patch(several, [{"op": "remove", "path": concat("/", ["/evidence/fairness/facts", path])}])
	rules(submission, {}) == {"fairness.not_measured"}
}

test_a_class_twice if {
	rules(
		json.patch(several, [{"op": "replace", "path": "/evidence/fairness/facts/classes", "value": ["red", "blue", "red"]}]),
		{},
	) == {"fairness.not_measured"}
}

numbers := json.patch(fixtures.submission, [{"op": "replace", "path": "/evidence/fairness", "value": evidence}]) if {
	excluded := {"excluded": [{"slice": {"race": "c"}, "n": 4}], "minimum": {"cases": 30}}
	disparities := [object.union(fixtures.disparity(concat("/", ["fairness", name]), value), {"method": excluded}) |
		some name, value in {"mean_residual_difference": 3, "group_loss_ratio": 1.2}
	]
	groups := [fixtures.measured(concat("/", ["fairness", name]), value, {"slice": {"race": race}, "n": 50}) |
		some name in ["mean_residual", "mae"]
		some race, value in {"a": -1, "b": 2, "c": 9}
	]
	evidence := fixtures.evidence("fairness", "measured", {"task": "regression"}, array.concat(groups, disparities))
}

test_numbers if {
	difference := {"metric": "mean_residual_difference"}
	rules(numbers, object.union(difference, {"threshold": 3})) == set()
	some finding in found(numbers, object.union(difference, {"threshold": 2.9}))
	finding.rule == "fairness.limit_exceeded"
	finding.values.lowest.value == -1
	finding.values.highest.group == {"race": "b"}
	contains(finding.values.remedy, "BoundedGroupLoss")
}

test_ratio_of_losses_is_at_most_the_limit if {
	ratio := {"metric": "group_loss_ratio"}
	rules(numbers, object.union(ratio, {"threshold": 1.2})) == set()
	rules(numbers, object.union(ratio, {"threshold": 1.1})) == {"fairness.limit_exceeded"}
	place := count(numbers.evidence.fairness.measurements) - 2
	some index in [place, place + 1]
	measurement := numbers.evidence.fairness.measurements[index]
	measurement.name == "fairness/group_loss_ratio"
	path := concat("/", ["/evidence/fairness/measurements", format_int(index, 10), "value"])
	impossible := json.patch(numbers, [{"op": "replace", "path": path, "value": 0.9}])
	rules(impossible, object.union(ratio, {"threshold": 1.2})) == {"fairness.not_measured"}
}

test_numbers_have_a_minimum_of_cases_only if {
	needs := {"cases": 30, "positives": 10, "negatives": 10}
	law := fixtures.stating(fixtures.law_of(item({"metric": "group_loss_ratio", "threshold": 2})), needs)
	fairness.violation == set() with input as numbers with data.mlpolicy.law as law
	strict := fixtures.stating(law, {"cases": 31})
	violations := fairness.violation with input as numbers with data.mlpolicy.law as strict
	fixtures.rules_of(violations) == {"fairness.minimum_too_low"}
	low := fixtures.stating(law, {"cases": 3})
	left_out := fairness.violation with input as numbers with data.mlpolicy.law as low
	fixtures.rules_of(left_out) == {"fairness.group_left_out"}
}
