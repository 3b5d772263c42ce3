package mlpolicy_test.rules.calibration

import data.mlpolicy.rules.calibration
import data.mlpolicy_test.fixtures

ece := "expected_calibration_error"

mce := "maximum_calibration_error"

large := "mean_score_minus_rate"

around(low, high) := {"low": low, "high": high, "confidence": 0.95, "method": "m"}

overall(metric, value, rest) := fixtures.measured(concat("/", ["calibration", metric]), value, object.union(
	{"n": 204, "positives": 102, "negatives": 102, "method": {"bins": 10, "least_cases": 30}},
	rest,
))

group(metric, value, race, n) := object.union(
	fixtures.group(concat("/", ["calibration", metric]), value, race, n),
	{"method": {"bins": 10, "least_cases": 30}},
)

measurements := [
	overall(ece, 0.03, {"interval": around(0.01, 0.05)}),
	group(ece, 0.04, "a", 100),
	group(ece, 0.06, "b", 100),
	group(ece, 0.5, "c", 4),
	overall(mce, 0.1, {}),
	overall(large, -0.02, {"interval": around(-0.04, 0.01)}),
]

submission := with_measurements(measurements)

with_measurements(found) := fixtures.added(
	"/evidence/calibration",
	fixtures.evidence("calibration", "measured", {"groups": {"race": ["a", "b", "c"]}}, found),
)

patched(op, path, value) := json.patch(
	submission,
	[{"op": op, "path": concat("", ["/evidence/calibration", path]), "value": value}],
)

item(rest) := object.union({"id": "c", "type": "calibration", "metric": ece, "maximum": 0.05}, rest)

found(judged, rest) := violations if {
	violations := calibration.violation with input as judged with data.mlpolicy.law as fixtures.law_of(item(rest))
}

rules(judged, rest) := fixtures.rules_of(found(judged, rest))

test_limit_is_inclusive if {
	rules(submission, {"maximum": 0.03}) == set()
	rules(submission, {"maximum": 0.029}) == {"calibration.too_high"}
	rules(submission, {"metric": mce, "maximum": 0.1}) == set()
	rules(submission, {"metric": mce, "maximum": 0.09}) == {"calibration.too_high"}
}

test_either_direction if {
	rules(submission, {"metric": large, "maximum": 0.02}) == set()
	rules(submission, {"metric": large, "maximum": 0.01}) == {"calibration.too_high"}
	rules(patched("replace", "/measurements/5/value", 0.015), {"metric": large, "maximum": 0.01}) == {"calibration.too_high"}
	{finding.values.side | some finding in found(submission, {"metric": large, "maximum": 0.01})} == {" in either direction"}
}

test_far_end_of_the_interval if {
	rules(submission, {"decide_on": "bound", "maximum": 0.05}) == set()
	rules(submission, {"decide_on": "bound", "maximum": 0.04}) == {"calibration.too_high"}
	rules(submission, {"decide_on": "bound", "metric": large, "maximum": 0.04}) == set()
	some finding in found(submission, {"decide_on": "bound", "metric": large, "maximum": 0.03})
	finding.values.side == " in either direction, for the far end of the interval"
}

test_without_an_interval_there_is_no_bound if {
	some finding in found(submission, {"decide_on": "bound", "metric": mce, "maximum": 1})
	finding.rule == "calibration.not_measured"
	finding.values.reason == "the law decides on the bound, and there is no interval"
	lacking := {"decide_on": "bound", "maximum": 1, "slices": ["race"]}
	{one.slice.race | some one in found(submission, lacking)} == {"a", "b"}
}

test_groups if {
	rules(submission, {"slices": ["race"], "maximum": 0.06}) == set()
	{one.slice | some one in found(submission, {"slices": ["race"]})} == {{"race": "b"}}
	rules(submission, {"slices": ["sex"]}) == {"calibration.no_groups"}
	rules(patched("replace", "/measurements/1/slice/race", "b"), {"slices": ["race"], "maximum": 0.06}) == {"calibration.no_groups"}
}

test_no_group_may_be_missing if {
	less := array.concat(array.slice(measurements, 0, 1), array.slice(measurements, 2, 6))
	rules(with_measurements(less), {"slices": ["race"], "maximum": 1}) == {"calibration.no_groups"}
	every facts in [{}, {"groups": null}, {"groups": {"race": ["a", "b"]}}, {"groups": {"race": ["a", "b", "d"]}}, {"groups": {"race": ["a", "b", "c", "c"]}}] {
		rules(patched("replace", "/facts", facts), {"slices": ["race"], "maximum": 1}) == {"calibration.no_groups"}
	}
}

test_group_not_measured if {
	uncounted := patched("remove", "/measurements/1/positives", null)
	rules(uncounted, {"slices": ["race"], "maximum": 1}) == {"calibration.group_not_measured"}
	unmeasured := patched("replace", "/measurements/1/value", null)
	rules(unmeasured, {"slices": ["race"], "maximum": 1}) == {"calibration.group_not_measured"}
}

reason(judged, rest) := finding.values.reason if {
	some finding in found(judged, rest)
	finding.rule == "calibration.not_measured"
}

test_not_measured if {
	few := "there are too few cases, or they were not counted"
	reason(fixtures.submission, {}) == "there is no evidence of this kind"
	reason(patched("replace", "/status", "missing"), {}) == "no usable number was given"
	reason(patched("replace", "/measurements/0/value", null), {}) == "no usable number was given"
	reason(patched("replace", "/measurements/0/n", 29), {}) == few
	reason(patched("remove", "/measurements/0/negatives", null), {}) == few
	reason(patched("add", "/measurements/-", measurements[0]), {}) == "it is there more than once"
}

test_small_groups_are_shown if {
	law := fixtures.law_of(item({"slices": ["race"]}))
	lacks := calibration.insufficient with input as submission with data.mlpolicy.law as law
	{lack.values.groups | some lack in lacks} == {[{"group": {"race": "c"}, "n": 4}]}
	fixtures.rules_of(lacks) == {"calibration.groups_not_judged"}
	all_count := fixtures.stating(law, {"cases": 1, "positives": 1, "negatives": 1})
	calibration.insufficient == set() with input as submission with data.mlpolicy.law as all_count
}

test_bins if {
	rules(submission, {"bins": 10}) == set()
	rules(submission, {"bins": 11}) == {"calibration.too_few_bins"}
	rules(patched("replace", "/measurements/0/method/bins", 9), {}) == {"calibration.too_few_bins"}
	rules(patched("replace", "/measurements/0/method/bins", 9), {"bins": 9}) == set()
	rules(patched("replace", "/measurements/0/method", null), {}) == {"calibration.too_few_bins"}
	rules(patched("replace", "/measurements/4/method/least_cases", 31), {"metric": mce, "maximum": 1}) == {"calibration.too_few_bins"}
	rules(patched("remove", "/measurements/4/method/least_cases", null), {"metric": mce, "maximum": 1}) == {"calibration.too_few_bins"}
	rules(patched("replace", "/measurements/5/method", {}), {"metric": large}) == set()
}

test_other_dataset if {
	rules(submission, {"dataset": "holdout"}) == set()
	rules(submission, {"dataset": "live"}) == {"calibration.other_dataset"}
}

test_malformed[key] if {
	some key, wrong in {
		"metric": "ece", "maximum": -0.1, "slices": [], "bins": 1, "decide_on": "mean", "dataset": 1, "maximun": 1,
	}
	law := fixtures.law_of(item({key: wrong}))
	calibration.malformed == {{"policy": "c", "key": key}} with data.mlpolicy.law as law
	calibration.judged == set() with data.mlpolicy.law as law
}

test_incomplete[key] if {
	some key in ["metric", "maximum"]
	law := fixtures.law_of(object.remove(item({}), [key]))
	calibration.malformed == {{"policy": "c", "key": key}} with data.mlpolicy.law as law
}

test_judged if calibration.judged == {"c"} with data.mlpolicy.law as fixtures.law_of(item({}))
