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
}

test_other_dataset if rules(fixtures.submission, {"dataset": "live"}) == {"performance.other_dataset"}

test_malformed[key] if {
	some key, wrong in {"metric": 1, "minimum": "0.1", "slices": [], "dataset": 1, "minium": 1}
	law := fixtures.law_of(item({key: wrong}))
	performance.malformed == {{"policy": "p", "key": key}} with data.mlpolicy.law as law
}

test_no_bound if {
	law := fixtures.law_of({"id": "p", "type": "performance", "metric": "accuracy"})
	performance.malformed == {{"policy": "p", "key": "minimum"}} with data.mlpolicy.law as law
	performance.judged == set() with data.mlpolicy.law as law
}

test_judged if performance.judged == {"p"} with data.mlpolicy.law as fixtures.law_of(item({}))
