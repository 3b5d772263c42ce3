package mlpolicy_test.rules.adverse_impact

import data.mlpolicy.rules.adverse_impact
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "f", "type": "adverse_impact", "reference": {"race": "b"}}, rest)

found(submission, rest) := violations if {
	violations := adverse_impact.violation with input as submission
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

rules(submission, rest) := fixtures.rules_of(found(submission, rest))

# Of the fixture's groups, a has the rate 0.5, b 0.7, and c 0.9 of 4 cases.
test_four_fifths if {
	rules(fixtures.submission, {}) == {"adverse_impact.below_reference"}
	some finding in found(fixtures.submission, {})
	finding.slice == {"race": "a"}
	finding.limit == 0.8
	finding.values.base == 0.7
	finding.values.reference == ["b"]
}

test_at_the_threshold if {
	even := fixtures.replaced("/evidence/fairness/measurements/0/value", 0.56)
	rules(fixtures.replaced("/evidence/fairness/measurements/0/value", 0.57), {}) == set()
	rules(even, {"threshold": 0.81}) == {"adverse_impact.below_reference"}
}

test_both_directions if {
	rules(fixtures.submission, {"reference": {"race": "a"}}) == {"adverse_impact.above_reference"}
	rules(fixtures.submission, {"reference": {"race": "a"}, "direction": "below"}) == set()
	rules(fixtures.submission, {"reference": {"race": "a"}, "threshold": 0.7}) == set()
}

test_nobody_is_selected if {
	nobody := json.patch(fixtures.submission, [
		{"op": "replace", "path": "/evidence/fairness/measurements/0/value", "value": 0},
		{"op": "replace", "path": "/evidence/fairness/measurements/1/value", "value": 0},
	])
	rules(nobody, {}) == set()
}

test_small_groups_are_shown if {
	law := fixtures.law_of(item({}))
	lacks := adverse_impact.insufficient with input as fixtures.submission with data.mlpolicy.law as law
	{lack.values.groups | some lack in lacks} == {[{"group": {"race": "c"}, "n": 4}]}
	fixtures.rules_of(lacks) == {"adverse_impact.groups_not_compared"}
	all_count := fixtures.stating(law, {"cases": 1, "positives": 1, "negatives": 1})
	adverse_impact.insufficient == set() with input as fixtures.submission with data.mlpolicy.law as all_count
}

reason(submission, rest) := finding.values.reason if {
	some finding in found(submission, rest)
	finding.rule == "adverse_impact.not_measured"
}

test_reasons if {
	lost := "the rates of its groups are not all in the evidence"
	reason(fixtures.submission, {"reference": {"race": "d"}}) == "there is no such group"
	reason(fixtures.submission, {"reference": {"sex": "d"}}) == lost
	reason(fixtures.removed("/evidence/fairness"), {}) == lost
	reason(fixtures.removed("/evidence/fairness/measurements/0"), {}) == lost
	reason(fixtures.removed("/evidence/fairness/measurements/0/slice"), {}) == lost
	small := "a group has no rate, or too few groups have enough cases"
	reason(fixtures.submission, {"reference": {"race": "c"}}) == small
	reason(fixtures.replaced("/evidence/fairness/measurements/0/n", 3), {}) == small
	reason(fixtures.replaced("/evidence/fairness/measurements/0/n", null), {}) == small
	reason(fixtures.replaced("/evidence/fairness/measurements/0/value", null), {}) == small
}

test_malformed[key] if {
	some key, wrong in {"reference": null, "threshold": 0, "direction": "up", "class": "", "metric": "x"}
	law := fixtures.law_of(item({key: wrong}))
	adverse_impact.malformed == {{"policy": "f", "key": key}} with data.mlpolicy.law as law
	adverse_impact.judged == set() with data.mlpolicy.law as law
}

test_judged if adverse_impact.judged == {"f"} with data.mlpolicy.law as fixtures.law_of(item({}))
