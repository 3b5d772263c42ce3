package mlpolicy_test.rules.data_validation

import data.mlpolicy.rules.data_validation
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "d", "type": "data_validation", "max_failed_expectations": 2}, rest)

found(submission, rest) := violations if {
	violations := data_validation.violation with input as submission
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

rules(submission, rest) := fixtures.rules_of(found(submission, rest))

without_drift := json.patch(fixtures.submission, [
	{"op": "remove", "path": "/evidence/data/measurements/2"},
	{"op": "remove", "path": "/evidence/data/facts/schema_drift"},
])

without_expectations := json.patch(fixtures.submission, [
	{"op": "replace", "path": "/evidence/data/measurements/0/value", "value": 0},
	{"op": "replace", "path": "/evidence/data/measurements/1/value", "value": 0},
])

test_failed_expectations if {
	rules(without_drift, {}) == set()
	some finding in found(without_drift, {"max_failed_expectations": 1})
	finding.rule == "data_validation.failed_expectations"
	finding.limit == 1
	finding.values.failed == [{"expectation": "not_null", "column": "debt"}, {"expectation": "row_count"}]
}

test_anomalies if {
	rules(fixtures.submission, {}) == {"data_validation.schema_anomaly"}
	rules(fixtures.submission, {"schema_drift": "warn"}) == set()
	warnings := data_validation.warning with input as fixtures.submission
		with data.mlpolicy.law as fixtures.law_of(item({"schema_drift": "warn"}))
	{warning.values | some warning in warnings} == {{"column": "typur", "kind": "new_category", "detail": "9 is new"}}
	vague := fixtures.removed("/evidence/data/facts/schema_drift/0/detail")
	{finding.values.detail | some finding in found(vague, {})} == {null}
}

test_one_of_the_two_is_enough_where_the_law_names_neither if {
	law := fixtures.law_of({"id": "d", "type": "data_validation"})
	violations := data_validation.violation with input as without_expectations with data.mlpolicy.law as law
	fixtures.rules_of(violations) == {"data_validation.schema_anomaly"}
}

test_what_the_law_names_is_done if {
	{finding.key | some finding in found(without_drift, {"schema_drift": "warn"})} == {"schema_drift"}
	some finding in found(without_expectations, {})
	finding.rule == "data_validation.not_measured"
	finding.key == "max_failed_expectations"
}

test_nothing_done if {
	law := fixtures.law_of({"id": "d", "type": "data_validation"})
	nothing := fixtures.replaced("/evidence/data/status", "missing")
	violations := data_validation.violation with input as nothing with data.mlpolicy.law as law
	fixtures.rules_of(violations) == {"data_validation.not_measured"}
}

test_what_was_begun_is_finished if {
	law := fixtures.law_of({"id": "d", "type": "data_validation"})
	every submission in [
		fixtures.replaced("/evidence/data/measurements/1/status", "error"),
		fixtures.replaced("/evidence/data/measurements/2/value", 3),
		fixtures.removed("/evidence/data/measurements/2"),
	] {
		violations := data_validation.violation with input as submission with data.mlpolicy.law as law
		"data_validation.not_measured" in fixtures.rules_of(violations)
	}
}

test_malformed[key] if {
	some key, wrong in {"max_failed_expectations": -1, "schema_drift": "ignore", "max_failed": 1}
	law := fixtures.law_of(item({key: wrong}))
	data_validation.malformed == {{"policy": "d", "key": key}} with data.mlpolicy.law as law
	data_validation.judged == set() with data.mlpolicy.law as law
}

test_judged if data_validation.judged == {"d"} with data.mlpolicy.law as fixtures.law_of(item({}))
