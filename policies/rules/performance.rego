# METADATA
# title: Performance
# description: A performance metric reaches the bounds that the law states, over all rows and in each group it names.
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.5
#   parameters:
#     type: object
#     required: [metric]
#     anyOf:
#       - required: [minimum]
#       - required: [maximum]
#     properties:
#       metric:
#         type: string
#         minLength: 1
#         description: The metric, such as accuracy, roc_auc or log_loss.
#       minimum:
#         type: number
#         description: The least value that is allowed.
#       maximum:
#         type: number
#         description: The greatest value that is allowed.
#       slices:
#         type: array
#         minItems: 1
#         description: Attributes; every group of theirs with enough cases satisfies the bounds too.
#         items:
#           type: string
#           minLength: 1
#       dataset:
#         type: string
#         minLength: 1
#         description: The name of the evaluation data that the law means.
package mlpolicy.rules.performance

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

wrong_keys(item) := union({
	law.wrong_keys(item, {"metric", "minimum", "maximum", "slices", "dataset"}),
	{"metric" | not law.has_text(item, "metric")},
	{bound | some bound in bounds(item); not is_number(item[bound])},
	{"minimum" | count(bounds(item)) == 0},
	{"slices" | "slices" in object.keys(item); not law.is_texts(item.slices)},
	{"dataset" | not law.optional_text(item, "dataset")},
})

bounds(item) := {"minimum", "maximum"} & object.keys(item)

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("performance")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("performance"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

name_of(item) := concat("/", ["performance", item.metric])

overall(item) := evidence.measured("performance", name_of(item), {}, set())

# The groups of one attribute, all of them, whether measured or not.
groups(item, attribute) := [group |
	some group in evidence.measurements("performance")
	group.name == name_of(item)
	slice := evidence.slice_of(group)
	is_object(slice)
	object.keys(slice) == {attribute}
]

# What is held against the bounds: the metric over all rows, and in each group with enough cases.
answers contains {"item": item, "measurement": overall(item)} if some item in items

answers contains {"item": item, "measurement": group} if {
	evidence.usable("performance", {"measured"})
	some item in items
	some attribute in item.slices
	some group in groups(item, attribute)
	evidence.size(group, law.minimum) == "enough"
	evidence.is_measured(group)
}

# METADATA
# title: "{values[metric]} {slice} is too low"
# description: A metric reaches the least value that the law allows.
# custom:
#   rule: performance.too_low
#   severity: high
#   message: "{values[metric]} {slice} is {measured}, at least {limit} is required"
#   remedy: improve the model where it falls short, or offer another one; the requirement is written in the law
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.too_low", answer.item, "high", "minimum", rest) if {
	some answer in answers
	answer.measurement.value < answer.item.minimum
	rest := object.union(
		evidence.about(answer.measurement),
		{"limit": answer.item.minimum, "values": {"metric": answer.item.metric}},
	)
}

# METADATA
# title: "{values[metric]} {slice} is too high"
# description: A metric does not exceed the greatest value that the law allows.
# custom:
#   rule: performance.too_high
#   severity: high
#   message: "{values[metric]} {slice} is {measured}, at most {limit} is allowed"
#   remedy: improve the model where it falls short, or offer another one; the requirement is written in the law
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.too_high", answer.item, "high", "maximum", rest) if {
	some answer in answers
	answer.measurement.value > answer.item.maximum
	rest := object.union(
		evidence.about(answer.measurement),
		{"limit": answer.item.maximum, "values": {"metric": answer.item.metric}},
	)
}

# METADATA
# title: "{values[metric]} was not measured"
# description: What the law limits has been measured, exactly once.
# custom:
#   rule: performance.not_measured
#   severity: high
#   message: "{values[metric]} cannot be judged: {values[reason]}"
#   remedy: "run `ml-compliance measure performance`; metrics such as roc_auc need a score column"
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.not_measured", item, "high", "metric", rest) if {
	some item in items
	not overall(item)
	found := evidence.find("performance", name_of(item), {}, set())
	rest := {
		"measurement": name_of(item),
		"values": {"metric": item.metric, "reason": evidence.reason("performance", found)},
	}
}

# METADATA
# title: "{values[metric]} was not measured for every group by {values[attribute]}"
# description: A metric that the law limits by group has been measured once for each group of that attribute.
# custom:
#   rule: performance.no_groups
#   severity: high
#   message: "{values[metric]} by {values[attribute]} cannot be judged: groups are missing, or there twice"
#   remedy: "list {values[attribute]} under `data: sensitive:` in compliance.yaml and run `ml-compliance measure performance`"
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.no_groups", item, "high", "slices", rest) if {
	some item in items
	some attribute in item.slices
	found := groups(item, attribute)
	not each_once(found, attribute)
	rest := {"measurement": name_of(item), "values": {"metric": item.metric, "attribute": attribute}}
}

each_once(found, attribute) if {
	evidence.usable("performance", {"measured"})
	count(found) > 0
	slices := {evidence.slice_of(group) | some group in found}
	count(slices) == count(found)
	count(counted_for_fairness(attribute) - slices) == 0
}

# The groups that fairness knows of the same attribute: none of them may be missing.
counted_for_fairness(attribute) := {slice |
	some rate in evidence.measurements("fairness")
	rate.name == "fairness/selection_rate"
	slice := evidence.slice_of(rate)
	is_object(slice)
	object.keys(slice) == {attribute}
}

# METADATA
# title: "{values[metric]} {slice} was not measured"
# description: A group with enough cases has been measured; one whose cases were not counted does not pass.
# custom:
#   rule: performance.group_not_measured
#   severity: high
#   message: "{values[metric]} {slice} cannot be judged: {values[reason]}"
#   remedy: "run `ml-compliance measure performance`"
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.group_not_measured", item, "high", "slices", rest) if {
	some item in items
	some attribute in item.slices
	some group in groups(item, attribute)
	not judgeable(group)
	rest := {
		"measurement": name_of(item),
		"slice": group.slice,
		"n": evidence.number(group, "n"),
		"values": {"metric": item.metric, "reason": evidence.reason("performance", [group])},
	}
}

judgeable(group) if evidence.size(group, law.minimum) == "small"

judgeable(group) if {
	evidence.size(group, law.minimum) == "enough"
	evidence.is_measured(group)
}

# METADATA
# title: "too few cases to judge every group by {values[attribute]}"
# description: Groups with too few cases are shown, and not judged.
# custom:
#   rule: performance.groups_not_judged
#   severity: low
#   message: "{values[metric]} by {values[attribute]}: shown, not judged: {values[groups]}"
#   remedy: collect more cases of these groups, or judge them together with others
#   reads: ["input.evidence.performance.measurements[]"]
insufficient contains law.finding("performance.groups_not_judged", item, "low", "slices", rest) if {
	some item in items
	some attribute in item.slices
	small := [evidence.group(group.slice, group) |
		some group in groups(item, attribute)
		evidence.size(group, law.minimum) == "small"
	]
	count(small) > 0
	rest := {
		"measurement": name_of(item),
		"values": {"metric": item.metric, "attribute": attribute, "count": count(small), "groups": small},
	}
}

# METADATA
# title: another data set was evaluated
# description: The evaluation data is the data that the law names.
# custom:
#   rule: performance.other_dataset
#   severity: high
#   message: "{values[metric]} was measured on {values[dataset]}, the law asks for {values[required]}"
#   remedy: "evaluate {values[required]}, or give the data its name: `data: name: {values[required]}` in compliance.yaml"
#   reads: [input.dataset]
violation contains law.finding("performance.other_dataset", item, "high", "dataset", {"values": values}) if {
	some item in items
	"dataset" in object.keys(item)
	not input.dataset == item.dataset
	values := {"metric": item.metric, "required": item.dataset, "dataset": evidence.dataset}
}
