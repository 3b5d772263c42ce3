# METADATA
# title: Fairness
# description: A disparity between groups stays within the limit that the law states, for each set of attributes.
# custom:
#   regulations:
#     - EU AI Act Art. 10
#     - ECOA / Regulation B
#     - GDPR Art. 22
#     - NIST AI RMF Measure 2.11
#   parameters:
#     type: object
#     required: [metric, threshold, sensitive_attributes]
#     properties:
#       metric:
#         type: string
#         minLength: 1
#         description: The disparity, such as demographic_parity_difference or equalized_odds_ratio.
#       threshold:
#         type: number
#         description: The limit; a ratio must reach it, every other metric must not exceed it.
#       sensitive_attributes:
#         type: array
#         minItems: 1
#         description: The attributes whose groups are compared; a list inside the list is their intersection.
#         items:
#           anyOf:
#             - type: string
#               minLength: 1
#             - type: array
#               minItems: 1
#               items:
#                 type: string
#                 minLength: 1
#       dataset:
#         type: string
#         minLength: 1
#         description: The name of the evaluation data that the law means.
package mlpolicy.rules.fairness

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

# What each disparity compares, in plain words.
compares := {
	"demographic_parity": "selection rate",
	"equal_opportunity": "true positive rate",
	"equalized_odds": "error rates",
	"predictive_parity": "precision",
}

wrong_keys(item) := union({
	law.wrong_keys(item, {"metric", "threshold", "sensitive_attributes", "dataset"}),
	{"metric" | not law.has_text(item, "metric")},
	{"threshold" | not law.has_number(item, "threshold")},
	{"sensitive_attributes" | not valid_attributes(item)},
	{"dataset" | not law.optional_text(item, "dataset")},
})

valid_attributes(item) if {
	is_array(item.sensitive_attributes)
	count(item.sensitive_attributes) > 0
	every attributes in item.sensitive_attributes {
		valid_attribute(attributes)
	}
}

valid_attribute(attribute) if law.is_text(attribute)

valid_attribute(attributes) if law.is_texts(attributes)

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("fairness")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("fairness"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

# Every comparison that the law asks for: an item and one set of attributes.
asked contains {"item": item, "attributes": attributes} if {
	some item in items
	some stated in item.sensitive_attributes
	attributes := as_set(stated)
}

as_set(attribute) := {attribute} if is_string(attribute)

as_set(attributes) := {attribute | some attribute in attributes} if is_array(attributes)

name_of(item) := concat("/", ["fairness", item.metric])

measurement_of(item, attributes) := evidence.measured("fairness", name_of(item), {}, attributes)

# The comparisons that can be judged: a share between 0 and 1, over at least two of the groups that were counted.
compared contains {"item": question.item, "measurement": measurement} if {
	some question in asked
	measurement := measurement_of(question.item, question.attributes)
	measurement.value >= 0
	measurement.value <= 1
	states_its_groups(measurement)
}

states_its_groups(measurement) if {
	is_array(measurement.method.compared)
	is_array(measurement.method.excluded)
	count(measurement.method.compared) > 1
	listed := array.concat(measurement.method.compared, measurement.method.excluded)
	every group in listed {
		is_object(group)
	}
	attributes := evidence.across_of(measurement)
	groups := {which(group, attributes) | some group in listed}
	count(listed) == count(groups)
	count(groups) == measurement.method.groups
	slices := [slice |
		some rate in evidence.measurements("fairness")
		rate.name == "fairness/selection_rate"
		slice := evidence.slice_of(rate)
		is_object(slice)
		object.keys(slice) == attributes
	]
	count(slices) == count(groups)
	{slice | some slice in slices} == groups
}

# The attributes' values of a group, which may stand beside its counts or in a `slice` of its own.
which(group, attributes) := group.slice if {
	is_object(group.slice)
	count(attributes) > 0
}

else := object.filter(group, attributes)

is_ratio(item) if endswith(item.metric, "_ratio")

# The rate of each group that a disparity is the difference or the ratio of, where it is a single one.
rate_names := {
	"demographic_parity": "fairness/selection_rate",
	"equal_opportunity": "fairness/true_positive_rate",
	"predictive_parity": "fairness/precision",
}

# The lowest and the highest rate among the groups that were compared.
extremes(item, measurement) := {"lowest": shown(rates[0]), "highest": shown(rates[count(rates) - 1])} if {
	some family, name in rate_names
	startswith(item.metric, family)
	attributes := evidence.across_of(measurement)
	groups := {which(group, attributes) | some group in measurement.method.compared}
	rates := sort([[rate.value, rate.slice, evidence.number(rate, "n")] |
		some rate in evidence.measurements("fairness")
		rate.name == name
		evidence.is_measured(rate)
		rate.slice in groups
	])
	count(rates) > 0
} else := {}

shown(rate) := {"value": rate[0], "group": rate[1], "n": rate[2]}

words(item) := compares[family] if {
	some family
	startswith(item.metric, family)
	compares[family]
}

else := item.metric

described(item, values) := object.union({"metric": item.metric, "what": words(item)}, values)

# METADATA
# title: "{values[what]} differs by {across}"
# description: A difference between groups does not exceed the limit of the law.
# custom:
#   rule: fairness.limit_exceeded
#   severity: high
#   message: "{values[metric]} by {across} is {measured}, limit {limit}{extremes}"
#   remedy: "retrain with a parity constraint (fairlearn.reductions.ExponentiatedGradient) or move the cut-off, then gate again"
#   reads: ["input.evidence.fairness.measurements[]"]
violation contains law.finding("fairness.limit_exceeded", answer.item, "high", "threshold", rest) if {
	some answer in compared
	not is_ratio(answer.item)
	answer.measurement.value > answer.item.threshold
	rest := object.union(
		evidence.about(answer.measurement),
		{"limit": answer.item.threshold, "values": described(answer.item, extremes(answer.item, answer.measurement))},
	)
}

# METADATA
# title: "{values[what]} is too unequal by {across}"
# description: The ratio of the least favoured group to the most favoured one reaches the limit of the law.
# custom:
#   rule: fairness.ratio_too_low
#   severity: high
#   message: "{values[metric]} by {across} is {measured}, at least {limit} is required{extremes}"
#   remedy: "retrain with a parity constraint (fairlearn.reductions.ExponentiatedGradient) or move the cut-off, then gate again"
#   reads: ["input.evidence.fairness.measurements[]"]
violation contains law.finding("fairness.ratio_too_low", answer.item, "high", "threshold", rest) if {
	some answer in compared
	is_ratio(answer.item)
	answer.measurement.value < answer.item.threshold
	rest := object.union(
		evidence.about(answer.measurement),
		{"limit": answer.item.threshold, "values": described(answer.item, extremes(answer.item, answer.measurement))},
	)
}

# METADATA
# title: "{values[what]} by {across} was not measured"
# description: What the law limits has been measured, exactly once, over groups that are all accounted for.
# custom:
#   rule: fairness.not_measured
#   severity: high
#   message: "{values[metric]} by {across} cannot be judged: {values[reason]}"
#   remedy: "list {across} under `data: sensitive:` in compliance.yaml and run `ml-compliance measure fairness`"
#   reads: ["input.evidence.fairness.measurements[]"]
violation contains law.finding("fairness.not_measured", question.item, "high", "sensitive_attributes", rest) if {
	some question in asked
	not is_compared(question)
	rest := {
		"measurement": name_of(question.item),
		"across": sort(question.attributes),
		"limit": question.item.threshold,
		"values": described(question.item, {"reason": reason(question)}),
	}
}

is_compared(question) if {
	some answer in compared
	answer.item == question.item
	evidence.across_of(answer.measurement) == question.attributes
}

reason(question) := "fewer than two groups were compared" if {
	count(measurement_of(question.item, question.attributes).method.compared) < 2
}

else := "its value, its groups and their selection rates do not fit together" if {
	measurement_of(question.item, question.attributes)
}

else := evidence.reason("fairness", evidence.find("fairness", name_of(question.item), {}, question.attributes))

# METADATA
# title: "groups were judged by too few cases"
# description: The number of cases that a group needs in order to be compared is at least what the law states.
# custom:
#   rule: fairness.minimum_too_low
#   severity: high
#   message: "groups by {across} were compared from {values[stated]} {values[count]} on, the law asks for {limit}"
#   remedy: "raise the minimum number of {values[count]} in compliance.yaml to {limit} and run `ml-compliance measure fairness`"
#   reads: ["input.evidence.fairness.measurements[].method.minimum"]
violation contains law.finding("fairness.minimum_too_low", answer.item, "high", "metric", rest) if {
	some answer in compared
	some key, least in law.stated_minimum
	is_number(least)
	not reaches(answer.measurement, key, least)
	stated := object.get(answer.measurement, ["method", "minimum", key], null)
	rest := object.union(
		evidence.about(answer.measurement),
		{"limit": least, "values": described(answer.item, {"count": key, "stated": stated})},
	)
}

reaches(measurement, key, least) if {
	is_number(measurement.method.minimum[key])
	measurement.method.minimum[key] >= least
}

# METADATA
# title: "a group of sufficient size was left out by {across}"
# description: A group that has the cases that the law asks for is compared.
# custom:
#   rule: fairness.group_left_out
#   severity: high
#   message: "{values[metric]} by {across} leaves out {values[groups]}, although the law's minimum is reached"
#   remedy: "lower the minimum number of cases in compliance.yaml to the law's and run `ml-compliance measure fairness`"
#   reads: ["input.evidence.fairness.measurements[].method.excluded"]
violation contains law.finding("fairness.group_left_out", answer.item, "high", "sensitive_attributes", rest) if {
	some answer in compared
	count(law.stated_minimum) > 0

	# A precision needs positive predictions, which these counts do not tell.
	not startswith(answer.item.metric, "predictive_parity")
	attributes := evidence.across_of(answer.measurement)
	left_out := [evidence.group(which(group, attributes), group) |
		some group in answer.measurement.method.excluded
		not is_small(group)
	]
	count(left_out) > 0
	rest := object.union(
		evidence.about(answer.measurement),
		{"values": described(answer.item, {"groups": left_out})},
	)
}

is_small(group) if evidence.size(group, law.minimum) == "small"

# METADATA
# title: "too few cases to judge every group by {across}"
# description: Groups with too few cases are shown, and not compared.
# custom:
#   rule: fairness.groups_not_compared
#   severity: low
#   message: "{values[metric]} by {across}: shown, not judged: {values[groups]}"
#   remedy: collect more cases of these groups, or judge them together with others
#   reads: ["input.evidence.fairness.measurements[].method.excluded"]
insufficient contains law.finding("fairness.groups_not_compared", answer.item, "low", "sensitive_attributes", rest) if {
	some answer in compared
	attributes := evidence.across_of(answer.measurement)
	excluded := [evidence.group(which(group, attributes), group) |
		some group in answer.measurement.method.excluded
	]
	count(excluded) > 0
	rest := {
		"measurement": answer.measurement.name,
		"across": answer.measurement.across,
		"values": described(answer.item, {"count": count(excluded), "groups": excluded}),
	}
}

# METADATA
# title: another data set was evaluated
# description: The evaluation data is the data that the law names.
# custom:
#   rule: fairness.other_dataset
#   severity: high
#   message: "{values[metric]} was measured on {values[dataset]}, the law asks for {values[required]}"
#   remedy: "evaluate {values[required]}, or give the data its name: `data: name: {values[required]}` in compliance.yaml"
#   reads: [input.dataset]
violation contains law.finding("fairness.other_dataset", item, "high", "dataset", {"values": values}) if {
	some item in items
	"dataset" in object.keys(item)
	not input.dataset == item.dataset
	values := described(item, {"required": item.dataset, "dataset": evidence.dataset})
}
