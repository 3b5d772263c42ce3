package mlpolicy_test.rules.registry

import data.mlpolicy.rules.registry
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "r", "type": "registry"}, rest)

found(submission, rest) := violations if {
	violations := registry.violation with input as submission
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

rules(submission, rest) := fixtures.rules_of(found(submission, rest))

nothing := {"evidence": {}}

test_registered_and_described if rules(fixtures.submission, {}) == set()

test_both_places_say_so if {
	rules(fixtures.replaced("/model/artifact_registered", "yes"), {}) == {"registry.not_registered"}
	rules(fixtures.replaced("/evidence/lineage/facts/model/registered", false), {}) == {"registry.not_registered"}
	rules(fixtures.replaced("/model/data_card_generated", 1), {}) == {"registry.no_data_card"}
	rules(fixtures.replaced("/evidence/lineage/facts/data_card", null), {}) == {"registry.no_data_card"}
	rules(fixtures.replaced("/evidence/lineage/status", "missing"), {}) == {
		"registry.not_registered", "registry.no_data_card",
	}
}

test_names_the_model_where_it_is_known if {
	unregistered := fixtures.replaced("/model/artifact_registered", false)
	{finding.values.model | some finding in found(unregistered, {})} == {"loan"}
	{finding.values.model | some finding in found(nothing, {"data_card": false})} == {"name"}
}

test_not_asked_for if rules(nothing, {"registered": false, "data_card": false}) == set()

test_malformed[key] if {
	some key, wrong in {"registered": "yes", "data_card": null, "card": true}
	law := fixtures.law_of(item({key: wrong}))
	registry.malformed == {{"policy": "r", "key": key}} with data.mlpolicy.law as law
	registry.judged == set() with data.mlpolicy.law as law
}
