# METADATA
# title: Data validation
# description: The data meets the expectations written for it, and has not drifted from the reference.
# custom:
#   regulations:
#     - EU AI Act Art. 10
#     - EU AI Act Annex IV 2
#     - ISO/IEC 42001 A.7.4
#   parameters:
#     type: object
#     properties:
#       max_failed_expectations:
#         type: number
#         minimum: 0
#         default: 0
#         description: How many expectations may fail.
#       schema_drift:
#         enum: [deny, warn]
#         default: deny
#         description: What an anomaly against the reference table is; where this is written, the comparison is required.
package mlpolicy.rules.data_validation

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

wrong_keys(item) := union({
	law.wrong_keys(item, {"max_failed_expectations", "schema_drift"}),
	{"max_failed_expectations" | not valid_maximum(item)},
	{"schema_drift" | not law.optional_choice(item, "schema_drift", ["deny", "warn"])},
})

valid_maximum(item) if {
	maximum := object.get(item, "max_failed_expectations", 0)
	is_number(maximum)
	maximum >= 0
}

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("data_validation")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("data_validation"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

name_of(what) := concat("/", ["data", what])

counted(what) := measurement if {
	measurement := evidence.measured("data", name_of(what), {}, set())
	measurement.value >= 0
}

expectations_done if {
	counted("expectations").value > 0
	counted("failed_expectations")
}

drift := input.evidence.data.facts.schema_drift

drift_done if {
	is_array(drift)
	every anomaly in drift {
		law.is_text(anomaly.kind)
	}
	counted("schema_anomalies").value == count(drift)
}

# METADATA
# title: "{values[what]} not done"
# description: >-
#   Expectations were evaluated or the schema was compared with the reference; and whichever of the two the law
#   mentions was.
# custom:
#   rule: data_validation.not_measured
#   severity: high
#   message: "the data cannot be judged, {values[what]} not done: {values[reason]}"
#   remedy: "name {values[missing]} in compliance.yaml and run `ml-compliance measure data`"
#   reads: ["input.evidence.data.measurements[]", input.evidence.data.facts.schema_drift]
violation contains lack(item, key, parts[key]) if {
	some item in items
	some key in (undone & object.keys(item))
}

violation contains lack(item, "id", parts[key]) if {
	some item in items
	count(undone) == 2
	count(undone & object.keys(item)) == 0
	key := "max_failed_expectations"
}

# A part that was begun and not finished counts as wanted, whatever the law mentions.
violation contains lack(item, "id", parts[key]) if {
	some item in items
	some key in (undone - object.keys(item))
	count(undone) == 1
	begun(key)
}

parts := {
	"max_failed_expectations": {
		"what": "validation by expectations is",
		"missing": "expectations",
		"name": "data/failed_expectations",
	},
	"schema_drift": {
		"what": "the comparison with a reference is",
		"missing": "a reference table",
		"name": "data/schema_anomalies",
	},
}

undone contains "max_failed_expectations" if not expectations_done

undone contains "schema_drift" if not drift_done

begun("max_failed_expectations") if {
	some measurement in evidence.measurements("data")
	measurement.name in {"data/expectations", "data/failed_expectations"}
	not measurement.value == 0
}

begun("schema_drift") if {
	some measurement in evidence.measurements("data")
	measurement.name == "data/schema_anomalies"
}

begun("schema_drift") if {
	is_array(drift)
	count(drift) > 0
}

lack(item, key, part) := law.finding("data_validation.not_measured", item, "high", key, {
	"measurement": part.name,
	"values": {
		"what": part.what,
		"missing": part.missing,
		"reason": evidence.reason("data", evidence.find("data", part.name, {}, set())),
	},
})

# METADATA
# title: expectations failed
# description: No more expectations fail than the law allows.
# custom:
#   rule: data_validation.failed_expectations
#   severity: high
#   message: "{value} of {values[evaluated]} expectations failed, {limit} allowed: {values[failed]}"
#   remedy: put the data right, or the expectation if it is the one that is wrong, and run `ml-compliance measure data`
#   reads: ["input.evidence.data.measurements[]", "input.evidence.data.facts.suites[].expectations[]"]
violation contains law.finding("data_validation.failed_expectations", item, "high", "max_failed_expectations", rest) if {
	some item in items
	expectations_done
	measurement := counted("failed_expectations")
	maximum := object.get(item, "max_failed_expectations", 0)
	measurement.value > maximum
	rest := object.union(evidence.about(measurement), {
		"limit": maximum,
		"worse": "higher",
		"values": {"evaluated": counted("expectations").value, "failed": failed},
	})
}

failed := [named(expectation) |
	some suite in input.evidence.data.facts.suites
	some expectation in suite.expectations
	expectation.success == false
]

named(expectation) := {"expectation": expectation.type, "column": expectation.column} if expectation.column

else := {"expectation": evidence.field(expectation, "type")}

violation contains anomaly if {
	some item in items
	object.get(item, "schema_drift", "deny") == "deny"
	some anomaly in anomalies(item)
}

warning contains anomaly if {
	some item in items
	item.schema_drift == "warn"
	some anomaly in anomalies(item)
}

# METADATA
# title: "{values[column]} differs from the reference: {values[kind]}"
# description: The columns have the types, categories and ranges of the reference table.
# custom:
#   rule: data_validation.schema_anomaly
#   severity: medium
#   message: "{values[column]}: {values[detail]}"
#   remedy: put the data right, or renew the reference table if the change is meant
#   reads: ["input.evidence.data.facts.schema_drift[]"]
anomalies(item) := {law.finding("data_validation.schema_anomaly", item, "medium", "schema_drift", rest) |
	drift_done
	some anomaly in drift
	values := {key: evidence.field(anomaly, key) | some key in {"column", "kind", "detail"}}
	rest := {"measurement": "data/schema_anomalies", "values": values}
}
