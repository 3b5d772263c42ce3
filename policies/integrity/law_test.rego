package mlpolicy_test.integrity.law

import data.mlpolicy_test.fixtures

rules(law) := fixtures.rules_of(violations) if {
	violations := data.mlpolicy.deploy.violation with input as fixtures.submission
		with data.mlpolicy.law as law
}

good := {"id": "r", "type": "registry"}

test_empty_law if rules({"policies": []}) == {"law.missing"}

test_law_of_another_kind if rules("law") == {"law.missing"}

test_item_without_id_or_type if {
	rules({"policies": [good, {"id": "x"}, {"type": "registry"}, 7, null]}) == {"law.malformed"}
}

test_same_id if "law.duplicate_id" in rules({"policies": [good, good]})

test_unknown_type if rules({"policies": [good, {"id": "x", "type": "horoscope"}]}) == {"law.not_judged"}

test_unknown_key if rules({"policies": [object.union(good, {"data_crad": false})]}) == {"law.malformed"}

test_wrong_severity_and_description if {
	rules({"policies": [object.union(good, {"severity": "huge"})]}) == {"law.malformed"}
	rules({"policies": [object.union(good, {"description": 7})]}) == {"law.malformed"}
}

test_severity_of_the_law if {
	law := {"policies": [object.union(good, {"severity": "critical", "description": "…"})]}
	found := data.mlpolicy.deploy.violation with input as fixtures.replaced("/model/artifact_registered", false)
		with data.mlpolicy.law as law
	{finding.severity | some finding in found} == {"critical"}
}

test_minimum if {
	rules(fixtures.stating(fixtures.law, {"cases": 50})) == set()
	rules(fixtures.stating(fixtures.law, {"cases": "50"})) == {"law.malformed"}
	rules(fixtures.stating(fixtures.law, {"case": 50})) == {"law.malformed"}
	rules(fixtures.stating(fixtures.law, {"cases": -1})) == {"law.malformed"}
	rules(object.union(fixtures.law, {"minimum": 50})) == {"law.malformed"}
}
