package mlpolicy_test.rules.business_rules

import data.mlpolicy.rules.business_rules
import data.mlpolicy_test.fixtures

limit := {"id": "l", "when": {"income": {"max": 30000}}, "then": {"prediction": 0}}

item(rest) := object.union({"id": "b", "type": "business_rules", "limits": [limit]}, rest)

measured(rest, method) := object.union(
	{
		"name": "business_rules/broken_share", "status": "measured", "value": 0.1, "n": 10,
		"slice": {"policy": "b", "limit": "l"},
		"method": object.union(
			{"when": limit.when, "then": limit.then, "selected": 10, "broken": 1, "undetermined": 0, "examples": ["A7"]},
			method,
		),
	},
	rest,
)

unbroken := measured({"value": 0}, {"broken": 0, "examples": []})

unexercised := measured({"value": null, "status": "not_estimable", "n": 0}, {"selected": 0, "broken": 0})

submission(measurement) := fixtures.added(
	"/evidence/business_rules",
	fixtures.evidence("business_rules", "measured", {}, [measurement]),
)

found(measurement, rest) := violations if {
	violations := business_rules.violation with input as submission(measurement)
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

rules(measurement, rest) := fixtures.rules_of(found(measurement, rest))

test_kept if rules(unbroken, {}) == set()

test_broken if {
	some finding in found(measured({}, {}), {})
	finding.rule == "business_rules.broken"
	finding.values == {"limit": "l", "broken": 1, "undetermined": 0, "examples": ": such as A7"}
	rules(measured({}, {}), {"max_share": 0.1}) == set()
	rules(measured({}, {"examples": null}), {}) == {"business_rules.broken"}
}

test_undetermined if rules(measured({"value": 0}, {"broken": 0, "undetermined": 2}), {}) == {"business_rules.undetermined"}

test_not_exercised if {
	rules(unexercised, {}) == set()
	lacks := business_rules.insufficient with input as submission(unexercised)
		with data.mlpolicy.law as fixtures.law_of(item({}))
	fixtures.rules_of(lacks) == {"business_rules.not_exercised"}
	lacks_of_kept := business_rules.insufficient with input as submission(unbroken)
		with data.mlpolicy.law as fixtures.law_of(item({}))
	lacks_of_kept == set()
}

test_what_was_not_checked[measurement] if {
	some measurement in [
		measured({"value": null}, {}), measured({"value": 0}, {}), measured({"n": null}, {}), measured({"n": 11}, {}),
		measured({"value": 0}, {"broken": null}), measured({"value": 0}, {"selected": null}),
		measured({"value": 0}, {"broken": 0, "undetermined": null}), measured({"value": 0}, {"broken": 0, "when": null}),
		measured({"value": 0}, {"broken": 0, "then": {"prediction": 1}}), measured({"slice": null}, {}),
		measured({"status": "not_estimable", "value": null}, {}),
	]
	rules(measurement, {}) == {"business_rules.not_measured"}
}

test_reasons if {
	some other in found(measured({}, {"then": null}), {})
	other.values.reason == "another limit of this name was checked, or its numbers do not fit together"
	violations := business_rules.violation with input as fixtures.submission
		with data.mlpolicy.law as fixtures.law_of(item({}))
	{finding.values.reason | some finding in violations} == {"there is no evidence of this kind"}
}

test_malformed[wrong] if {
	some wrong in [
		{"limits": []}, {"limits": [limit, limit]}, {"limits": [{"id": "l"}]}, {"limits": null}, {"max_share": 2},
		{"limits": [object.union(limit, {"when": 1})]}, {"limits": [object.union(limit, {"id": ""})]}, {"maximum": 1},
	]
	law := fixtures.law_of(object.union({"id": "b", "type": "business_rules", "limits": [limit]}, wrong))
	some key, _ in wrong
	broken := json.patch(law, [{"op": "add", "path": concat("/", ["/policies/0", key]), "value": wrong[key]}])
	business_rules.malformed == {{"policy": "b", "key": key}} with data.mlpolicy.law as broken
	business_rules.judged == set() with data.mlpolicy.law as broken
}

test_judged if business_rules.judged == {"b"} with data.mlpolicy.law as fixtures.law_of(item({}))
