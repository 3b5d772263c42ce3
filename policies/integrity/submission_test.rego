package mlpolicy_test.integrity.submission

import data.mlpolicy_test.fixtures

rules(submission) := fixtures.rules_of(violations) if {
	violations := data.mlpolicy.integrity.submission.violation with input as submission
}

test_whole if rules(fixtures.submission) == set()

test_schema if {
	rules(fixtures.replaced("/schema", "v0")) == {"submission.schema"}
	rules(fixtures.removed("/schema")) == {"submission.schema"}
}

test_coverage if {
	rules(fixtures.removed("/evidence/data")) == {"submission.coverage"}
	rules(fixtures.removed("/coverage")) == {"submission.coverage"}
	rules(fixtures.replaced("/evidence", {})) == {"submission.coverage"}
	rules(fixtures.replaced("/evidence", [])) == {"submission.coverage"}
}

test_evidence if {
	rules(fixtures.replaced("/evidence/data/name", "lineage")) == {"submission.evidence"}
	rules(fixtures.replaced("/evidence/data/status", "fine")) == {"submission.evidence"}
	rules(fixtures.replaced("/evidence/data/schema", "v0")) == {"submission.evidence"}
}

test_measurements if {
	rules(fixtures.removed("/evidence/data/measurements/0")) == {"submission.measurements"}
	rules(fixtures.replaced("/evidence/data/measurements", "many")) == {"submission.measurements"}
}

test_measurement[what] if {
	some what, wrong in {
		"no object": 7,
		"of other evidence": {"name": "fairness/x", "status": "measured", "value": 1},
		"unknown status": {"name": "data/x", "status": "fine", "value": 1},
		"no number": {"name": "data/x", "status": "measured", "value": null},
		"a number that was not measured": {"name": "data/x", "status": "missing", "value": 1},
		"no count": {"name": "data/x", "status": "measured", "value": 1, "n": null},
		"no slice": {"name": "data/x", "status": "measured", "value": 1, "slice": {}},
		"slice of numbers": {"name": "data/x", "status": "measured", "value": 1, "slice": {"a": 1}},
		"no attributes": {"name": "data/x", "status": "measured", "value": 1, "across": [null]},
	}
	rules(fixtures.replaced("/evidence/data/measurements/0", wrong)) == {"submission.measurement"}
}

test_measurement_not_estimable if {
	empty := {"name": "data/x", "status": "not_estimable", "value": null}
	rules(fixtures.replaced("/evidence/data/measurements/0", empty)) == set()
}
