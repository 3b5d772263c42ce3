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
#     if:
#       properties:
#         metric:
#           not:
#             enum: [mean_residual_difference, group_loss_ratio]
#     then:
#       properties:
#         threshold:
#           minimum: 0
#           maximum: 1
#     properties:
#       metric:
#         enum:
#           - demographic_parity_difference
#           - demographic_parity_ratio
#           - equal_opportunity_difference
#           - equal_opportunity_ratio
#           - predictive_parity_difference
#           - predictive_parity_ratio
#           - equalized_odds_difference
#           - equalized_odds_difference_mean
#           - equalized_odds_ratio
#           - equalized_odds_ratio_mean
#           - mean_residual_difference
#           - group_loss_ratio
#         description: >-
#           The disparity: demographic_parity_difference, equalized_odds_ratio, …; of predicted numbers
#           mean_residual_difference or group_loss_ratio.
#       threshold:
#         type: number
#         description: The limit; a parity ratio must reach it, every other metric must not exceed it.
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
#       class:
#         type: string
#         minLength: 1
#         description: Of several classes, the one that this is about; every class when nothing is said.
#       decide_on:
#         enum: [estimate, bound]
#         default: estimate
#         description: Whether the estimate is held against the limit, or the unfavourable end of its interval.
#       dataset:
#         type: string
#         minLength: 1
#         description: The name of the evaluation data that the law means.
package mlpolicy.rules.fairness

import data.mlpolicy.lib.bound
import data.mlpolicy.lib.disparity
import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.index
import data.mlpolicy.lib.law
import data.mlpolicy.lib.task

wrong_keys(item) := union({
	law.wrong_keys(item, {"metric", "threshold", "sensitive_attributes", "class", "decide_on", "dataset"}),
	{"metric" | not law.has_text(item, "metric")},
	{"threshold" | not law.has_number(item, "threshold")},
	{"threshold" | not item.metric in unbounded; not law.is_share(item.threshold)},
	{"sensitive_attributes" | not valid_attributes(item)},
	{"class" | not law.optional_text(item, "class")},
	{"decide_on" | not law.optional_choice(item, "decide_on", bound.choices)},
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

# Every other disparity is of rates, so that a limit outside 0 to 1 could never be missed, or never be met.
unbounded := {"mean_residual_difference", "group_loss_ratio"}

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("fairness")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("fairness"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

# Every comparison that the law asks for: an item, one set of attributes and, of several classes, one class.
asked contains {"item": item, "attributes": attributes, "slice": slice} if {
	some item in items
	some stated in item.sensitive_attributes
	attributes := as_set(stated)
	some slice in task.slices("fairness", item)
}

as_set(attribute) := {attribute} if is_string(attribute)

as_set(attributes) := {attribute | some attribute in attributes} if is_array(attributes)

name_of(item) := concat("/", ["fairness", item.metric])

measurement_of(question) := index.measured("fairness", name_of(question.item), question.slice, question.attributes)

# The comparisons that can be judged: a possible value, over at least two of the groups that were counted.
compared contains {"question": question, "item": question.item, "measurement": measurement} if {
	some question in asked
	measurement := measurement_of(question)
	disparity.in_range(question.item.metric, measurement.value)
	disparity.states_its_groups(question.item.metric, measurement)
	bound.decidable(question.item, measurement)
}

described(item, slice, values) := object.union(
	{
		"metric": task.named(item.metric, slice),
		"what": task.named(disparity.family(item.metric).what, slice),
		"remedy": disparity.remedy(item.metric, slice),
	},
	values,
)

against_the_limit(answer, worse, side) := object.union(
	evidence.about(answer.measurement),
	{"limit": answer.item.threshold, "worse": worse, "values": values},
) if {
	found := disparity.extremes(answer.item.metric, answer.measurement)
	values := described(answer.item, answer.question.slice, object.union(found, {"side": side}))
}

# METADATA
# title: "{values[what]} differs by {across}"
# description: A difference between groups does not exceed the limit of the law.
# custom:
#   rule: fairness.limit_exceeded
#   severity: high
#   message: "{values[metric]} by {across} is {measured}, limit {limit}{values[side]}{extremes}"
#   remedy: "{values[remedy]}"
#   reads: ["input.evidence.fairness.measurements[]"]
violation contains law.finding("fairness.limit_exceeded", answer.item, "high", "threshold", rest) if {
	some answer in compared
	not disparity.is_ratio(answer.item.metric)
	bound.highest(answer.item, answer.measurement) > answer.item.threshold
	rest := against_the_limit(answer, "higher", bound.upper(answer.item))
}

# METADATA
# title: "{values[what]} is too unequal by {across}"
# description: The ratio of the least favoured group to the most favoured one reaches the limit of the law.
# custom:
#   rule: fairness.ratio_too_low
#   severity: high
#   message: "{values[metric]} by {across} is {measured}, at least {limit} is required{values[side]}{extremes}"
#   remedy: "{values[remedy]}"
#   reads: ["input.evidence.fairness.measurements[]"]
violation contains law.finding("fairness.ratio_too_low", answer.item, "high", "threshold", rest) if {
	some answer in compared
	disparity.is_ratio(answer.item.metric)
	bound.lowest(answer.item, answer.measurement) < answer.item.threshold
	rest := against_the_limit(answer, "lower", bound.lower(answer.item))
}

# METADATA
# title: "{values[what]} by {across} was not measured"
# description: What the law limits has been measured, exactly once, over groups that are all accounted for.
# custom:
#   rule: fairness.not_measured
#   severity: high
#   message: "{values[metric]} by {across} cannot be judged: {values[reason]}"
#   remedy: "list {across} under `data: sensitive:` in compliance.yaml and run `ml-compliance measure fairness`"
#   reads: ["input.evidence.fairness.measurements[]", "input.evidence.fairness.facts.classes"]
violation contains law.finding("fairness.not_measured", question.item, "high", "sensitive_attributes", rest) if {
	some question in asked
	not question in answered
	rest := {
		"measurement": name_of(question.item),
		"slice": question.slice,
		"across": sort(question.attributes),
		"limit": question.item.threshold,
		"values": described(question.item, question.slice, {"reason": reason(question)}),
	}
}

answered := {answer.question | some answer in compared}

reason(question) := "fewer than two groups were compared" if {
	is_array(measurement_of(question).method.compared)
	count(measurement_of(question).method.compared) < 2
}

else := bound.lacking if {
	disparity.states_its_groups(question.item.metric, measurement_of(question))
	not bound.decidable(question.item, measurement_of(question))
}

else := "its value, its groups and their rates do not fit together" if {
	measurement_of(question)
}

else := evidence.reason("fairness", index.find("fairness", name_of(question.item), question.slice, question.attributes))

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
	some key in task.counts("fairness")
	least := law.stated_minimum[key]
	is_number(least)
	not reaches(answer.measurement, key, least)
	stated := object.get(answer.measurement, ["method", "minimum", key], null)
	rest := object.union(
		evidence.about(answer.measurement),
		{"limit": least, "values": described(answer.item, answer.question.slice, {"count": key, "stated": stated})},
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
	left_out := [evidence.group(disparity.which(group, attributes), group) |
		some group in answer.measurement.method.excluded
		not is_small(group)
	]
	count(left_out) > 0
	rest := object.union(
		evidence.about(answer.measurement),
		{"values": described(answer.item, answer.question.slice, {"groups": left_out})},
	)
}

is_small(group) if task.size("fairness", group, law.minimum) == "small"

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
	excluded := [evidence.group(disparity.which(group, attributes), group) |
		some group in answer.measurement.method.excluded
	]
	count(excluded) > 0
	rest := {
		"measurement": answer.measurement.name,
		"slice": answer.question.slice,
		"across": answer.measurement.across,
		"values": described(answer.item, answer.question.slice, {"count": count(excluded), "groups": excluded}),
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
	values := {"metric": item.metric, "required": item.dataset, "dataset": evidence.dataset}
}
