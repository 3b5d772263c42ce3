package mlpolicy_test.rules.performance

import data.mlpolicy.rules.performance
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "p", "type": "performance", "metric": "accuracy", "minimum": 0.8}, rest)

rules(submission, rest) := fixtures.rules_of(violations) if {
	violations := performance.violation with input as submission
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

test_bounds_are_inclusive if {
	rules(fixtures.submission, {"minimum": 0.9, "maximum": 0.9}) == set()
	rules(fixtures.submission, {"slices": ["race"]}) == set()
}

test_bounds if {
	rules(fixtures.submission, {"minimum": 0.91}) == {"performance.too_low"}
	rules(fixtures.submission, {"maximum": 0.89}) == {"performance.too_high"}
	rules(fixtures.submission, {"minimum": 0.81, "slices": ["race"]}) == {"performance.too_low"}
}

test_not_measured if {
	rules(fixtures.submission, {"metric": "roc_auc"}) == {"performance.not_measured"}
	rules(fixtures.replaced("/evidence/performance/status", "missing"), {}) == {"performance.not_measured"}
}

test_groups if {
	rules(fixtures.submission, {"slices": ["sex"]}) == {"performance.no_groups"}
	rules(fixtures.removed("/evidence/performance/measurements/2"), {"slices": ["race"]}) == {"performance.no_groups"}
	twice := fixtures.replaced("/evidence/performance/measurements/2/slice/race", "a")
	rules(twice, {"slices": ["race"]}) == {"performance.no_groups"}
}

test_group_not_measured if {
	uncounted := fixtures.removed("/evidence/performance/measurements/1/positives")
	rules(uncounted, {"slices": ["race"]}) == {"performance.group_not_measured"}
	unmeasured := fixtures.replaced("/evidence/performance/measurements/1/value", null)
	rules(unmeasured, {"slices": ["race"]}) == {"performance.group_not_measured"}
}

test_small_groups_are_shown if {
	law := fixtures.law_of(item({"slices": ["race"]}))
	lacks := performance.insufficient with input as fixtures.submission with data.mlpolicy.law as law
	{lack.values.groups | some lack in lacks} == {[{"group": {"race": "c"}, "n": 4}]}
	fixtures.rules_of(lacks) == {"performance.groups_not_judged"}
	all_count := fixtures.stating(law, {"cases": 1, "positives": 1, "negatives": 1})
	performance.insufficient == set() with input as fixtures.submission with data.mlpolicy.law as all_count
}

# A group with plenty of cases is judged by its share of right answers, however few of one class it has.
test_few_of_a_class_is_no_excuse if {
	lopsided := fixtures.replaced("/evidence/performance/measurements/1/positives", 2)
	rules(lopsided, {"minimum": 0.81, "slices": ["race"]}) == {"performance.too_low"}
}

test_no_group_judged if {
	large := fixtures.stating(fixtures.law_of(item({"slices": ["race"]})), {"cases": 1000})
	violations := performance.violation with input as fixtures.submission with data.mlpolicy.law as large
	fixtures.rules_of(violations) == {"performance.no_group_judged"}
}

test_a_share_is_from_0_to_1 if {
	every wrong in [-0.1, 1.1, 80] {
		law := fixtures.law_of(item({"minimum": wrong}))
		performance.malformed == {{"policy": "p", "key": "minimum"}} with data.mlpolicy.law as law
	}
}

test_other_dataset if rules(fixtures.submission, {"dataset": "live"}) == {"performance.other_dataset"}

test_malformed[key] if {
	some key, wrong in {"metric": 1, "minimum": "0.1", "slices": [], "dataset": 1, "minium": 1, "class": "", "decide_on": 1}
	law := fixtures.law_of(item({key: wrong}))
	performance.malformed == {{"policy": "p", "key": key}} with data.mlpolicy.law as law
}

test_no_bound if {
	law := fixtures.law_of({"id": "p", "type": "performance", "metric": "accuracy"})
	performance.malformed == {{"policy": "p", "key": "minimum"}} with data.mlpolicy.law as law
	performance.judged == set() with data.mlpolicy.law as law
}

test_judged if performance.judged == {"p"} with data.mlpolicy.law as fixtures.law_of(item({}))

test_a_loss_needs_a_maximum if {
	law := fixtures.law_of(item({"metric": "mae"}))
	performance.malformed == {{"policy": "p", "key": "maximum"}} with data.mlpolicy.law as law
	performance.malformed == set() with data.mlpolicy.law as fixtures.law_of(item({"metric": "mae", "maximum": 1}))
}

bounded(low, high) := json.patch(fixtures.submission, [{
	"op": "add",
	"path": "/evidence/performance/measurements/0/interval",
	"value": {"low": low, "high": high},
}])

test_bound if {
	rules(bounded(0.85, 0.95), {"decide_on": "bound", "minimum": 0.85, "maximum": 0.95}) == set()
	rules(bounded(0.85, 0.95), {"decide_on": "bound", "minimum": 0.86}) == {"performance.too_low"}
	rules(bounded(0.85, 0.95), {"decide_on": "bound", "maximum": 0.94}) == {"performance.too_high"}
	rules(bounded(0.85, 0.95), {"decide_on": "estimate", "minimum": 0.86}) == set()
}

test_bound_without_interval if {
	some finding in performance.violation with input as fixtures.submission
		with data.mlpolicy.law as fixtures.law_of(item({"decide_on": "bound"}))
	finding.rule == "performance.not_measured"
	finding.values.reason == "the law decides on the bound, and there is no interval"
	rules(bounded(0.85, 0.95), {"decide_on": "bound", "slices": ["race"]}) == {"performance.group_not_measured"}
}

test_a_rate_of_fairness_that_names_no_group if {
	unnamed := fixtures.removed("/evidence/fairness/measurements/2/slice")
	rules(unnamed, {"slices": ["race"]}) == {"performance.no_groups"}
	rules(unnamed, {}) == set()
}

evidence(facts, measurements) := json.patch(fixtures.submission, [
	{"op": "replace", "path": "/evidence/performance", "value": found},
	{"op": "remove", "path": "/evidence/fairness"},
]) if {
	found := fixtures.evidence("performance", "measured", facts, measurements)
}

slices := [{}, {"race": "a"}, {"race": "b"}]

of_classes := array.concat(
	[fixtures.measured("performance/accuracy", 0.9, object.union(sliced(slice), {"n": 50})) | some slice in slices],
	[fixtures.measured("performance/recall", value, object.union(
		sliced(object.union(slice, {"class": class})),
		{"n": 50, "positives": 20, "negatives": 30},
	)) |
		some slice in slices
		some class, value in {"red": 0.9, "blue": 0.7}
	],
)

sliced(slice) := {"slice": slice} if count(slice) > 0

else := {}

several := evidence({"task": "multiclass", "classes": ["red", "blue"]}, of_classes)

test_classes if {
	rules(several, {}) == set()
	rules(several, {"slices": ["race"]}) == set()
	rules(several, {"minimum": 0.95, "slices": ["race"]}) == {"performance.too_low"}
	rules(several, {"metric": "recall", "minimum": 0.7, "slices": ["race"]}) == set()
	violations := performance.violation with input as several
		with data.mlpolicy.law as fixtures.law_of(item({"metric": "recall", "slices": ["race"]}))
	{finding.slice | some finding in violations} == {
		{"class": "blue"},
		{"class": "blue", "race": "a"},
		{"class": "blue", "race": "b"},
	}
}

test_one_class if {
	rules(several, {"metric": "recall", "class": "red", "slices": ["race"]}) == set()
	rules(several, {"metric": "recall", "class": "green"}) == {"performance.not_measured"}
	rules(several, {"class": "red"}) == {"performance.not_measured"}
	rules(evidence({}, of_classes), {"metric": "recall"}) == {"performance.not_measured"}
}

test_cases_alone_count_over_several_classes if {
	rules(evidence({}, of_classes), {"slices": ["race"]}) == {"performance.group_not_measured"}
	few := [object.union(measurement, {"n": 20}) | some measurement in of_classes]
	law := fixtures.law_of(item({"slices": ["race"]}))
	lacks := performance.insufficient with input as evidence({"task": "multiclass"}, few) with data.mlpolicy.law as law
	{lack.values.groups | some lack in lacks} == {[{"group": {"race": "a"}, "n": 20}, {"group": {"race": "b"}, "n": 20}]}
}
