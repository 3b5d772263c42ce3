package mlpolicy_test.rules.robustness

import data.mlpolicy.rules.robustness
import data.mlpolicy_test.fixtures

item(rest) := object.union(
	{"id": "r", "type": "robustness", "metric": "accuracy", "max_drop": 0.05, "perturbations": {"noise": 0.1}},
	rest,
)

drop := {
	"name": "robustness/accuracy_drop", "status": "measured", "value": 0.04, "n": 500,
	"interval": {"low": 0.02, "high": 0.06},
	"slice": {"perturbation": "noise", "strength": "0.1"},
	"method": {"strength": 0.1},
}

submission(measurement) := fixtures.added(
	"/evidence/robustness",
	fixtures.evidence("robustness", "measured", {}, [measurement]),
)

found(measurement, rest) := violations if {
	violations := robustness.violation with input as submission(measurement)
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

rules(measurement, rest) := fixtures.rules_of(found(measurement, rest))

test_small_drop if rules(drop, {"max_drop": 0.04}) == set()

test_large_drop if {
	rules(drop, {"max_drop": 0.039}) == {"robustness.drop_too_large"}
	rules(drop, {"decide_on": "bound"}) == {"robustness.drop_too_large"}
	rules(drop, {"decide_on": "bound", "max_drop": 0.06}) == set()
}

reason(measurement, rest) := finding.values.reason if {
	some finding in found(measurement, rest)
	finding.rule == "robustness.not_measured"
}

test_reasons if {
	absent := "it is not among the measurements"
	reason(drop, {"perturbations": {"missing": 0.1, "noise": 0.1}}) == absent
	every wrong in [{"method": null}, {"method": {"strength": 0.05}}, {"slice": null}, {"name": "robustness/f1_drop"}] {
		reason(object.union(drop, wrong), {}) == absent
	}
	reason(object.union(drop, {"n": 12}), {}) == "too few rows"
	reason(object.union(drop, {"n": null}), {}) == "too few rows"
	reason(object.union(drop, {"value": null}), {}) == "no usable number was given"
	without := object.union(drop, {"interval": null})
	reason(without, {"decide_on": "bound"}) == "the law decides on the bound, and there is no interval"
	violations := robustness.violation with input as fixtures.submission
		with data.mlpolicy.law as fixtures.law_of(item({}))
	{finding.values.reason | some finding in violations} == {"there is no evidence of this kind"}
}

test_malformed[key] if {
	some key, wrong in {"metric": "", "max_drop": -1, "perturbations": null, "decide_on": "mood", "other": 1}
	law := fixtures.law_of(item({key: wrong}))
	robustness.malformed == {{"policy": "r", "key": key}} with data.mlpolicy.law as law
	robustness.judged == set() with data.mlpolicy.law as law
}

test_unknown_perturbation if {
	law := fixtures.law_of(item({"perturbations": {"storm": 1}}))
	robustness.malformed == {{"policy": "r", "key": "perturbations"}} with data.mlpolicy.law as law
}

test_judged if robustness.judged == {"r"} with data.mlpolicy.law as fixtures.law_of(item({}))
