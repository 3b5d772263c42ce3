# METADATA
# title: The submission
# description: A submission of another kind, or one from which something was taken, allows nothing.
package mlpolicy.integrity.submission

import data.mlpolicy.lib.law

statuses := {"measured", "not_estimable", "declared", "missing", "error"}

rule(name, values) := {
	"rule": concat(".", ["submission", name]),
	"policy": "",
	"severity": "critical",
	"key": "",
	"values": values,
}

# METADATA
# title: the submission is of another kind
# description: The submission is a document of the version that this policy was written for.
# custom:
#   rule: submission.schema
#   severity: critical
#   message: "the submission is not an `ml-compliance/submission/v1` document"
#   remedy: make it with `ml-compliance submit`
#   reads: [input.schema]
violation contains rule("schema", {}) if not input.schema == "ml-compliance/submission/v1"

# METADATA
# title: evidence was added or taken away
# description: The submission lists the kinds of evidence that it carries, and carries those.
# custom:
#   rule: submission.coverage
#   severity: critical
#   message: the evidence in the submission is not the evidence that it lists
#   remedy: make the submission anew with `ml-compliance submit`; do not edit it
#   reads: [input.coverage.evidence, input.evidence]
violation contains rule("coverage", {}) if not evidence_as_listed

evidence_as_listed if {
	is_array(input.coverage.evidence)
	is_object(input.evidence)
	count(input.evidence) > 0
	count(input.coverage.evidence) == count(input.evidence)
	{name | some name in input.coverage.evidence} == object.keys(input.evidence)
}

# METADATA
# title: evidence cannot be read
# description: Each kind of evidence is a document of the known version, under its own name, with a known status.
# custom:
#   rule: submission.evidence
#   severity: critical
#   message: "the evidence `{values[module]}` is not an `ml-compliance/evidence/v1` document of that name"
#   remedy: "measure again: `ml-compliance measure {values[module]}`"
#   reads: ["input.evidence[].schema", "input.evidence[].name", "input.evidence[].status"]
violation contains rule("evidence", {"module": module}) if {
	is_object(input.evidence)
	some module, evidence in input.evidence
	not readable(module, evidence)
}

readable(module, evidence) if {
	evidence.schema == "ml-compliance/evidence/v1"
	evidence.name == module
	evidence.status in statuses
}

# METADATA
# title: a measurement cannot be read
# description: A measurement has a name of its kind of evidence, a known status, and a number if it was measured.
# custom:
#   rule: submission.measurement
#   severity: critical
#   message: "{values[count]} measurements of the evidence `{values[module]}` are not what measurements look like"
#   remedy: "measure again: `ml-compliance measure {values[module]}`"
#   reads: ["input.evidence[].measurements[]"]
violation contains rule("measurement", {"module": module, "count": count(unreadable)}) if {
	is_object(input.evidence)
	some module, evidence in input.evidence
	prefix := concat("", [module, "/"])
	unreadable := [1 | some measurement in evidence.measurements; not well_formed(prefix, measurement)]
	count(unreadable) > 0
}

well_formed(prefix, measurement) if {
	is_string(measurement.name)
	startswith(measurement.name, prefix)
	measurement.status in statuses
	fits(measurement)
	is_number(object.get(measurement, "n", 0))
	is_number(object.get(measurement, "positives", 0))
	is_number(object.get(measurement, "negatives", 0))
	slice := object.get(measurement, "slice", {"a": "a"})
	is_object(slice)
	are_texts(slice)
	across := object.get(measurement, "across", ["a"])
	is_array(across)
	are_texts(across)
}

are_texts(collection) if {
	count(collection) > 0
	every text in collection {
		is_string(text)
	}
}

fits(measurement) if {
	measurement.status == "measured"
	is_number(measurement.value)
}

fits(measurement) if {
	measurement.status != "measured"
	measurement.value == null
}

# METADATA
# title: measurements were added or taken away
# description: Each kind of evidence states how many measurements it has, and has as many.
# custom:
#   rule: submission.measurements
#   severity: critical
#   message: "the evidence `{values[module]}` does not have as many measurements as it states"
#   remedy: "measure again: `ml-compliance measure {values[module]}`"
#   reads: ["input.evidence[].coverage.measurements", "input.evidence[].measurements"]
violation contains rule("measurements", {"module": module}) if {
	is_object(input.evidence)
	some module, evidence in input.evidence
	not complete(evidence)
}

complete(evidence) if {
	is_array(evidence.measurements)
	count(evidence.measurements) == evidence.coverage.measurements
}

# METADATA
# title: a measurement failed
# description: Where a measurement broke off, the model is not judged at all.
# custom:
#   rule: submission.error
#   severity: critical
#   message: "the measurement `{values[module]}` failed: {values[reason]}"
#   remedy: "put the cause right and measure again: `ml-compliance measure {values[module]}`"
#   reads: ["input.evidence[].status", "input.evidence[].reason"]
error contains rule("error", {"module": module, "reason": reason(evidence)}) if {
	is_object(input.evidence)
	some module, evidence in input.evidence
	evidence.status == "error"
}

reason(evidence) := evidence.reason if law.is_text(evidence.reason)

else := "it does not say why"
