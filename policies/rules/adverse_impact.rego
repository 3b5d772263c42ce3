# METADATA
# title: Adverse impact
# description: Each group is selected at a rate that reaches a share, four fifths unless stated, of a named group's rate.
# custom:
#   regulations:
#     - 29 CFR 1607.4(D)
#     - ECOA / Regulation B
#     - NIST AI RMF Measure 2.11
#   parameters:
#     type: object
#     required: [reference]
#     properties:
#       reference:
#         type: object
#         minProperties: 1
#         description: "The group that the others are compared with, such as `{sex: male}`; two attributes are an intersection."
#         additionalProperties:
#           type: string
#           minLength: 1
#       threshold:
#         type: number
#         exclusiveMinimum: 0
#         maximum: 1
#         default: 0.8
#         description: The share of the reference's selection rate that a group's must reach. The estimate decides, as in the four-fifths rule; the evidence holds no interval of a ratio to a named group.
#       direction:
#         enum: [both, below]
#         default: both
#         description: Whether the reference's rate must reach that share of each group's as well.
#       class:
#         type: string
#         minLength: 1
#         description: Of several classes, the one whose prediction is the selection; every class when nothing is said.
package mlpolicy.rules.adverse_impact

import data.mlpolicy.lib.disparity
import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.index
import data.mlpolicy.lib.law
import data.mlpolicy.lib.task

rate := "fairness/selection_rate"

wrong_keys(item) := union({
	law.wrong_keys(item, {"reference", "threshold", "direction", "class"}),
	{"reference" | not valid_reference(item)},
	{"threshold" | not law.is_share(threshold(item))},
	{"threshold" | threshold(item) == 0},
	{"direction" | not law.optional_choice(item, "direction", ["both", "below"])},
	{"class" | not law.optional_text(item, "class")},
})

valid_reference(item) if {
	is_object(item.reference)
	count(item.reference) > 0
	every attribute, value in item.reference {
		law.is_text(attribute)
		law.is_text(value)
	}
}

threshold(item) := object.get(item, "threshold", 0.8)

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("adverse_impact")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("adverse_impact"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

asked contains {"item": item, "slice": slice} if {
	some item in items
	some slice in task.slices("fairness", item)
}

attributes(question) := object.keys(question.item.reference)

# All groups are known from the disparity across them, which lists those that were compared and those left out.
listed(question) := groups if {
	metric := "demographic_parity_difference"
	name := concat("/", ["fairness", metric])
	measurement := index.measured("fairness", name, question.slice, attributes(question))
	disparity.states_its_groups(metric, measurement)
	all := array.concat(measurement.method.compared, measurement.method.excluded)
	groups := {object.union(disparity.which(group, attributes(question)), question.slice) | some group in all}
}

rates[slice] contains place if {
	count(items) > 0
	some place, measurement in evidence.measurements("fairness")
	measurement.name == rate
	slice := evidence.slice_of(measurement)
	evidence.across_of(measurement) == set()
}

rate_of(group) := measurement if {
	evidence.usable("fairness", {"measured"})
	count(rates[group]) == 1
	some place in rates[group]
	measurement := evidence.measurements("fairness")[place]
	evidence.is_measured(measurement)
	is_number(measurement.n)
	law.is_share(measurement.value)
}

reference_of(question) := object.union(question.item.reference, question.slice)

answerable contains question if {
	some question in asked
	every group in listed(question) {
		rate_of(group)
	}
	reference_of(question) in listed(question)
	not is_small(rate_of(reference_of(question)))
	some group in listed(question)
	group != reference_of(question)
	not is_small(rate_of(group))
}

is_small(measurement) if measurement.n < law.minimum.cases

# METADATA
# title: "selection rates by {values[attributes]} cannot be compared with {values[reference]}"
# description: The rates of the reference and of every other group have been measured, and the reference is large enough.
# custom:
#   rule: adverse_impact.not_measured
#   severity: high
#   message: "selection rates by {values[attributes]} cannot be compared with {values[reference]}: {values[reason]}"
#   remedy: "list {values[attributes]} under `data: sensitive:`, name a group that has enough cases, and run `ml-compliance measure fairness`"
#   reads: ["input.evidence.fairness.measurements[]"]
violation contains law.finding("adverse_impact.not_measured", question.item, "high", "reference", rest) if {
	some question in asked
	not question in answerable
	rest := {"slice": question.slice, "values": described(question, {"reason": reason(question)})}
}

reason(question) := "the rates of its groups are not all in the evidence" if not listed(question)

else := "there is no such group" if not reference_of(question) in listed(question)

else := "a group has no rate, or too few groups have enough cases"

described(question, values) := object.union(values, {
	"attributes": sort(attributes(question)),
	"reference": [value | some value in question.item.reference],
})

# Each group against the reference: the lower rate divided by the higher one, and which of the two is lower.
pairs contains {"question": question, "group": measurement, "ratio": ratio, "lower": lower} if {
	some question in answerable
	some group in listed(question)
	group != reference_of(question)
	measurement := rate_of(group)
	not is_small(measurement)
	base := rate_of(reference_of(question)).value
	lower := side(measurement.value, base)
	ratio := quotient(min({measurement.value, base}), max({measurement.value, base}))
}

side(rate_of_group, base) := "group" if rate_of_group <= base

else := "reference"

# Nobody is selected in either group: they are treated alike.
quotient(low, high) := 1 if high == 0

else := low / high

against(pair) := {
	"measurement": rate,
	"value": pair.ratio,
	"n": pair.group.n,
	"slice": pair.group.slice,
	"limit": threshold(pair.question.item),
	"worse": "lower",
	"values": described(pair.question, {
		"rate": pair.group.value,
		"base": rate_of(reference_of(pair.question)).value,
	}),
}

# METADATA
# title: "adverse impact {slice}"
# description: A group's selection rate reaches the stated share of the reference's.
# custom:
#   rule: adverse_impact.below_reference
#   severity: high
#   message: "selection rate {values[rate]} {slice} is {value} of the {values[base]} of {values[reference]}, at least {limit} is required"
#   remedy: "retrain with a parity constraint (fairlearn.reductions.ExponentiatedGradient) or move the cut-off, then gate again"
#   reads: ["input.evidence.fairness.measurements[]"]
violation contains law.finding("adverse_impact.below_reference", pair.question.item, "high", "reference", rest) if {
	some pair in pairs
	pair.lower == "group"
	pair.ratio < threshold(pair.question.item)
	rest := against(pair)
}

# METADATA
# title: "adverse impact on the reference {values[reference]}"
# description: The reference's selection rate reaches the stated share of every group's, unless the law asks for one direction.
# custom:
#   rule: adverse_impact.above_reference
#   severity: high
#   message: "the selection rate {values[base]} of {values[reference]} is {value} of the {values[rate]} {slice}, at least {limit} is required"
#   remedy: "name the group with the highest rate as `reference`, or retrain with a parity constraint, then gate again"
#   reads: ["input.evidence.fairness.measurements[]"]
violation contains law.finding("adverse_impact.above_reference", pair.question.item, "high", "reference", rest) if {
	some pair in pairs
	pair.lower == "reference"
	object.get(pair.question.item, "direction", "both") == "both"
	pair.ratio < threshold(pair.question.item)
	rest := against(pair)
}

# METADATA
# title: "too few cases to compare every group with {values[reference]}"
# description: Groups with too few cases are shown, and not compared.
# custom:
#   rule: adverse_impact.groups_not_compared
#   severity: low
#   message: "shown, not compared with {values[reference]}: {values[groups]}"
#   remedy: collect more cases of these groups, or judge them together with others
#   reads: ["input.evidence.fairness.measurements[].n"]
insufficient contains law.finding("adverse_impact.groups_not_compared", question.item, "low", "reference", rest) if {
	some question in answerable
	small := sort([evidence.group(group, measurement) |
		some group in listed(question)
		measurement := rate_of(group)
		is_small(measurement)
	])
	count(small) > 0
	rest := {"slice": question.slice, "values": described(question, {"groups": small})}
}
