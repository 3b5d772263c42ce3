# METADATA
# title: Calibration
# description: >-
#   A calibration error does not exceed the limit that the law states, over all rows and in each group it names: a score
#   of 0.8 means that about 80 % of such cases are positive.
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.5
#   parameters:
#     type: object
#     required: [metric, maximum]
#     properties:
#       metric:
#         enum: [expected_calibration_error, maximum_calibration_error, mean_score_minus_rate]
#         description: The calibration error; mean_score_minus_rate is limited in both directions.
#       maximum:
#         type: number
#         minimum: 0
#         description: The greatest error that is allowed, a probability.
#       slices:
#         type: array
#         minItems: 1
#         description: Attributes; every group of theirs with enough cases satisfies the limit too.
#         items:
#           type: string
#           minLength: 1
#       bins:
#         type: integer
#         minimum: 2
#         default: 10
#         description: The number of bins that the error is measured with at least; fewer hide errors.
#       decide_on:
#         enum: [estimate, bound]
#         default: estimate
#         description: Whether the estimate is held against the limit, or the unfavourable end of its interval.
#       dataset:
#         type: string
#         minLength: 1
#         description: The name of the evaluation data that the law means.
package mlpolicy.rules.calibration

import data.mlpolicy.lib.bound
import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

signed := "mean_score_minus_rate"

binned := {"expected_calibration_error", "maximum_calibration_error"}

default_bins := 10

wrong_keys(item) := union({
	law.wrong_keys(item, {"metric", "maximum", "slices", "bins", "decide_on", "dataset"}),
	{"metric" | not object.get(item, "metric", null) in (binned | {signed})},
	{"maximum" | not is_limit(item, "maximum")},
	{"slices" | "slices" in object.keys(item); not law.is_texts(item.slices)},
	{"bins" | not is_count(item, "bins")},
	{"decide_on" | not law.optional_choice(item, "decide_on", bound.choices)},
	{"dataset" | not law.optional_text(item, "dataset")},
})

is_limit(item, key) if {
	is_number(item[key])
	item[key] >= 0
}

is_count(item, key) if {
	bins := object.get(item, key, default_bins)
	is_number(bins)
	bins >= 2
}

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("calibration")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("calibration"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

name_of(item) := concat("/", ["calibration", item.metric])

words(item) := replace(item.metric, "_", " ")

# An error has a size, whichever its sign.
size_of_error(item, measurement) := max({abs(bound.lowest(item, measurement)), abs(bound.highest(item, measurement))})

overall(item) := measurement if {
	measurement := evidence.measured("calibration", name_of(item), {}, set())
	judgeable(item, measurement)
}

judgeable(item, measurement) if {
	evidence.size(measurement, law.minimum) == "enough"
	evidence.is_measured(measurement)
	is_number(size_of_error(item, measurement))
}

# The groups of one attribute, all of them, whether measured or not.
groups(item, attribute) := [group |
	some group in evidence.measurements("calibration")
	group.name == name_of(item)
	slice := evidence.slice_of(group)
	is_object(slice)
	object.keys(slice) == {attribute}
]

# What is held against the limit: the error over all rows, and in each group with enough cases.
answers contains {"item": item, "measurement": overall(item)} if some item in items

answers contains {"item": item, "measurement": group} if {
	evidence.usable("calibration", {"measured"})
	some item in items
	some attribute in item.slices
	some group in groups(item, attribute)
	judgeable(item, group)
}

# METADATA
# title: "{values[metric]} {slice} is too high"
# description: A calibration error does not exceed the limit of the law.
# custom:
#   rule: calibration.too_high
#   severity: high
#   message: "{values[metric]} {slice} is {measured}, at most {limit} is allowed{values[side]}"
#   remedy: "calibrate the scores on data that was not trained on (sklearn.calibration.CalibratedClassifierCV), then gate again"
#   reads: ["input.evidence.calibration.measurements[]"]
violation contains law.finding("calibration.too_high", answer.item, "high", "maximum", rest) if {
	some answer in answers
	size_of_error(answer.item, answer.measurement) > answer.item.maximum
	values := {"metric": words(answer.item), "side": side(answer.item)}
	rest := object.union(evidence.about(answer.measurement), {"limit": answer.item.maximum, "worse": worse(answer.item), "values": values})
}

worse(item) := "further" if item.metric == signed

else := "higher"

side(item) := " in either direction, for the far end of the interval" if {
	item.metric == signed
	bound.decides_on_bound(item)
} else := " in either direction" if {
	item.metric == signed
} else := bound.upper(item)

# METADATA
# title: "{values[metric]} was not measured"
# description: What the law limits has been measured, exactly once and over enough cases.
# custom:
#   rule: calibration.not_measured
#   severity: high
#   message: "{values[metric]} cannot be judged: {values[reason]}"
#   remedy: "name a score column under `data: score:` in compliance.yaml and run `ml-compliance measure calibration`"
#   reads: ["input.evidence.calibration.measurements[]"]
violation contains law.finding("calibration.not_measured", item, "high", "metric", rest) if {
	some item in items
	not overall(item)
	found := evidence.find("calibration", name_of(item), {}, set())
	rest := {"measurement": name_of(item), "values": {"metric": words(item), "reason": reason(item, found)}}
}

reason(item, found) := "there are too few cases, or they were not counted" if {
	evidence.usable("calibration", {"measured"})
	count(found) == 1
	evidence.is_measured(found[0])
	not enough(found)
}

else := bound.lacking if {
	evidence.usable("calibration", {"measured"})
	count(found) == 1
	evidence.is_measured(found[0])
	bound.decides_on_bound(item)
}

else := evidence.reason("calibration", found)

enough(found) if evidence.size(found[0], law.minimum) == "enough"

# METADATA
# title: "{values[metric]} was not measured for every group by {values[attribute]}"
# description: An error that the law limits by group has been measured once for each group of that attribute.
# custom:
#   rule: calibration.no_groups
#   severity: high
#   message: "{values[metric]} by {values[attribute]} cannot be judged: groups are missing, or there twice"
#   remedy: "list {values[attribute]} under `data: sensitive:` in compliance.yaml and run `ml-compliance measure calibration`"
#   reads: ["input.evidence.calibration.measurements[]", input.evidence.calibration.facts.groups]
violation contains law.finding("calibration.no_groups", item, "high", "slices", rest) if {
	some item in items
	some attribute in item.slices
	not each_once(groups(item, attribute), attribute)
	rest := {"measurement": name_of(item), "values": {"metric": words(item), "attribute": attribute}}
}

each_once(found, attribute) if {
	evidence.usable("calibration", {"measured"})
	count(found) > 0
	stated := input.evidence.calibration.facts.groups[attribute]
	is_array(stated)
	measured := {evidence.slice_of(group)[attribute] | some group in found}
	count(measured) == count(found)
	count(measured) == count(stated)
	measured == {name | some name in stated}
}

# METADATA
# title: "{values[metric]} {slice} was not measured"
# description: A group with enough cases has been measured; one whose cases were not counted does not pass.
# custom:
#   rule: calibration.group_not_measured
#   severity: high
#   message: "{values[metric]} {slice} cannot be judged: {values[reason]}"
#   remedy: "run `ml-compliance measure calibration`"
#   reads: ["input.evidence.calibration.measurements[]"]
violation contains law.finding("calibration.group_not_measured", item, "high", "slices", rest) if {
	some item in items
	some attribute in item.slices
	some group in groups(item, attribute)
	not is_small(group)
	not judgeable(item, group)
	rest := {
		"measurement": name_of(item),
		"slice": group.slice,
		"n": evidence.number(group, "n"),
		"values": {"metric": words(item), "reason": reason(item, [group])},
	}
}

is_small(group) if evidence.size(group, law.minimum) == "small"

# METADATA
# title: "{values[metric]} was measured with too coarse bins"
# description: >-
#   The error was measured with as many bins as the law asks for, and no bin was left out that has the law's cases.
# custom:
#   rule: calibration.too_few_bins
#   severity: high
#   message: "{values[metric]} {slice} was measured with {values[bins]} bins; the law asks for {limit}, and for all bins with enough cases"
#   remedy: "set `measure: calibration: bins: {limit}` in compliance.yaml and run `ml-compliance measure calibration`"
#   reads: ["input.evidence.calibration.measurements[].method"]
violation contains law.finding("calibration.too_few_bins", answer.item, "high", "metric", rest) if {
	some answer in answers
	answer.item.metric in binned
	least := object.get(answer.item, "bins", default_bins)
	not fine(answer.item, answer.measurement, least)
	bins := object.get(answer.measurement, ["method", "bins"], null)
	rest := object.union(
		evidence.about(answer.measurement),
		{"limit": least, "values": {"metric": words(answer.item), "bins": bins}},
	)
}

fine(item, measurement, least) if {
	is_number(measurement.method.bins)
	measurement.method.bins >= least
	none_left_out(item, measurement)
}

none_left_out(item, _) if item.metric == "expected_calibration_error"

none_left_out(item, measurement) if {
	item.metric == "maximum_calibration_error"
	is_number(measurement.method.least_cases)
	measurement.method.least_cases <= law.minimum.cases
}

# METADATA
# title: "too few cases to judge every group by {values[attribute]}"
# description: Groups with too few cases are shown, and not judged.
# custom:
#   rule: calibration.groups_not_judged
#   severity: low
#   message: "{values[metric]} by {values[attribute]}: shown, not judged: {values[groups]}"
#   remedy: collect more cases of these groups, or judge them together with others
#   reads: ["input.evidence.calibration.measurements[]"]
insufficient contains law.finding("calibration.groups_not_judged", item, "low", "slices", rest) if {
	some item in items
	some attribute in item.slices
	small := sort([evidence.group(group.slice, group) |
		some group in groups(item, attribute)
		is_small(group)
	])
	count(small) > 0
	rest := {
		"measurement": name_of(item),
		"values": {"metric": words(item), "attribute": attribute, "count": count(small), "groups": small},
	}
}

# METADATA
# title: another data set was evaluated
# description: The evaluation data is the data that the law names.
# custom:
#   rule: calibration.other_dataset
#   severity: high
#   message: "{values[metric]} was measured on {values[dataset]}, the law asks for {values[required]}"
#   remedy: "evaluate {values[required]}, or give the data its name: `data: name: {values[required]}` in compliance.yaml"
#   reads: [input.dataset]
violation contains law.finding("calibration.other_dataset", item, "high", "dataset", {"values": values}) if {
	some item in items
	"dataset" in object.keys(item)
	not input.dataset == item.dataset
	values := {"metric": words(item), "required": item.dataset, "dataset": evidence.dataset}
}
