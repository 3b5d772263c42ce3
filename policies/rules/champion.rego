# METADATA
# title: Champion and challenger
# description: >-
#   On the same rows the model is not worse than the one in use by more than the law allows, or better by what it asks
#   for, over all rows and in each group it names.
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.5
#     - EU AI Act Annex IV 6
#   parameters:
#     type: object
#     required: [metric]
#     anyOf:
#       - required: [margin]
#       - required: [relative_margin]
#       - required: [min_improvement]
#       - required: [min_relative_improvement]
#     properties:
#       metric:
#         type: string
#         minLength: 1
#         description: The metric of which both models are compared, such as accuracy, roc_auc or log_loss.
#       margin:
#         type: number
#         minimum: 0
#         description: By how much the model may be worse than the champion (for selection_rate, differ from it).
#       relative_margin:
#         type: number
#         minimum: 0
#         description: The same as a share of the champion's value; 0.05 is 5 %.
#       min_improvement:
#         type: number
#         minimum: 0
#         description: By how much the model must be better than the champion.
#       min_relative_improvement:
#         type: number
#         minimum: 0
#         description: The same as a share of the champion's value; 0.05 is 5 %.
#       decide_on:
#         enum: [estimate, bound]
#         default: estimate
#         description: What must satisfy the law, the difference itself or the unfavourable end of its interval.
#       slices:
#         type: array
#         minItems: 1
#         description: Attributes; every group of theirs with enough cases satisfies the law too.
#         items:
#           type: string
#           minLength: 1
package mlpolicy.rules.champion

import data.mlpolicy.lib.bound
import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

lower_is_better := {"log_loss", "brier", "false_positive_rate"}

# Neither more nor less of these is better, so both directions count as worse.
undirected := {"selection_rate"}

margins := {"margin", "relative_margin"}

improvements := {"min_improvement", "min_relative_improvement"}

wrong_keys(item) := union({
	law.wrong_keys(item, {
		"metric", "margin", "relative_margin", "min_improvement", "min_relative_improvement", "decide_on", "slices",
	}),
	{"metric" | not law.has_text(item, "metric")},
	{"margin" | count(stated(item)) == 0},
	{key | some key in stated(item); not is_amount(item[key])},
	{key | some key in (stated(item) & improvements); item.metric in undirected},
	{"decide_on" | not law.optional_choice(item, "decide_on", bound.choices)},
	{"slices" | "slices" in object.keys(item); not law.is_texts(item.slices)},
})

stated(item) := (margins | improvements) & object.keys(item)

is_amount(value) if {
	is_number(value)
	value >= 0
}

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("champion")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("champion"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

name_of(item) := concat("", ["champion/", item.metric, "_difference"])

overall(item) := evidence.measured("champion", name_of(item), {}, set())

# The groups of one attribute, all of them, whether measured or not.
groups(item, attribute) := [group |
	some group in evidence.measurements("champion")
	group.name == name_of(item)
	slice := evidence.slice_of(group)
	is_object(slice)
	object.keys(slice) == {attribute}
]

# What is held against the law: the difference over all rows, and in each group with enough cases.
answers contains {"item": item, "measurement": overall(item)} if some item in items

answers contains {"item": item, "measurement": group} if {
	evidence.usable("champion", {"measured"})
	some item in items
	some attribute in item.slices
	some group in groups(item, attribute)
	evidence.size(group, law.minimum) == "enough"
	evidence.is_measured(group)
}

# At which ends a difference, challenger − champion, is unfavourable.
ends(item) := {"high"} if item.metric in lower_is_better

else := {"low", "high"} if item.metric in undirected

else := {"low"}

# What one key of the law demands of one end. A sign is all that is computed here: the numbers that are compared are
# those of the law and of the evidence, so nothing is lost at the limit.
demands contains {"answer": answer, "key": key, "end": end, "limit": limit} if {
	some answer in answers
	some key in stated(answer.item)
	some end in ends(answer.item)
	limit := signed(key, end, answer.item[key])
}

signed(key, "low", amount) := 0 - amount if key in margins

signed(key, "low", amount) := amount if key in improvements

signed(key, "high", amount) := amount if key in margins

signed(key, "high", amount) := 0 - amount if key in improvements

is_relative(demand) if demand.key in {"relative_margin", "min_relative_improvement"}

# The number that a demand is about, with its interval: the difference, or the difference as a share of the champion's
# value. Undefined where there is none.
subject(demand) := demand.answer.measurement if not is_relative(demand)

else := relative if {
	relative := demand.answer.measurement.method.relative
	is_number(relative.value)
}

# What is compared with the limit: the number itself, or the end of its interval that speaks against the model.
decisive(demand) := bound.lowest(demand.answer.item, subject(demand)) if demand.end == "low"

else := bound.highest(demand.answer.item, subject(demand)) if demand.end == "high"

has_basis(demand) if is_number(decisive(demand))

falls_short(demand) if {
	has_basis(demand)
	demand.end == "low"
	decisive(demand) < demand.limit
}

falls_short(demand) if {
	has_basis(demand)
	demand.end == "high"
	decisive(demand) > demand.limit
}

# The fields of a finding about a demand. Whatever is only shown may be missing, and the finding is made all the same.
about(demand) := object.union(evidence.about(demand.answer.measurement), {
	"value": subject(demand).value,
	"interval": evidence.interval(subject(demand)),
	"limit": demand.limit,
	"worse": {"low": "lower", "high": "higher"}[demand.end],
	"values": object.union(words(demand), {
		"metric": demand.answer.item.metric,
		"challenger": evidence.number(method, "challenger"),
		"champion": evidence.number(method, "champion"),
	}),
}) if {
	method := object.get(demand.answer.measurement, "method", {})
}

words(demand) := {"what": what(demand), "least": "at least", "side": bound.lower(item), "is": is(demand)} if {
	demand.end == "low"
	item := demand.answer.item
}

else := {"what": what(demand), "least": "at most", "side": bound.upper(demand.answer.item), "is": is(demand)}

what(demand) := "relative difference" if is_relative(demand)

else := "difference"

is(demand) := concat(" ", [verb(demand), than(demand)])

# The bound of an interval does not say that the model is worse.
verb(demand) := "may be" if bound.decides_on_bound(demand.answer.item)

else := "is"

than(demand) := "too far from" if demand.answer.item.metric in undirected

else := "worse than"

# METADATA
# title: "{values[metric]} {slice} {values[is]} the champion's"
# description: The model is not worse than the one in use by more than the margin of the law.
# custom:
#   rule: champion.worse
#   severity: high
#   message: "{values[metric]} {slice} is {values[challenger]}, the champion's is {values[champion]}: the {values[what]} is {measured}, {values[least]} {limit} is required{values[side]}"
#   remedy: improve the model where it falls short, or keep the champion; the margin is written in the law
#   reads: ["input.evidence.champion.measurements[]"]
violation contains law.finding("champion.worse", demand.answer.item, "high", demand.key, about(demand)) if {
	some demand in demands
	demand.key in margins
	falls_short(demand)
}

# METADATA
# title: "{values[metric]} {slice} is not shown to improve enough on the champion's"
# description: The model is better than the one in use by what the law asks for.
# custom:
#   rule: champion.no_improvement
#   severity: high
#   message: "{values[metric]} {slice} is {values[challenger]}, the champion's is {values[champion]}: the {values[what]} is {measured}, {values[least]} {limit} is required{values[side]}"
#   remedy: improve the model further, or keep the champion; the improvement that is asked for is written in the law
#   reads: ["input.evidence.champion.measurements[]"]
violation contains law.finding("champion.no_improvement", demand.answer.item, "high", demand.key, about(demand)) if {
	some demand in demands
	demand.key in improvements
	falls_short(demand)
}

# METADATA
# title: "{values[metric]} {slice} cannot be held against the champion's"
# description: There is a number for what the law compares, such as an interval, or a champion's value that is not zero.
# custom:
#   rule: champion.no_basis
#   severity: high
#   message: "{values[metric]} {slice}: {values[reason]}"
#   remedy: "run `ml-compliance measure champion`, or state an absolute margin, decided on the estimate"
#   reads: ["input.evidence.champion.measurements[]"]
violation contains law.finding("champion.no_basis", demand.answer.item, "high", demand.key, rest) if {
	some demand in demands
	not has_basis(demand)
	rest := object.union(
		evidence.about(demand.answer.measurement),
		{"values": {"metric": demand.answer.item.metric, "reason": lack(demand)}},
	)
}

lack(demand) := bound.lacking if subject(demand)

else := "the champion's value is 0 or unknown, so that there is no relative difference"

# METADATA
# title: "{values[metric]} was not compared with the champion's"
# description: What the law compares has been measured for both models, exactly once.
# custom:
#   rule: champion.not_measured
#   severity: high
#   message: "{values[metric]} of challenger and champion cannot be judged: {values[reason]}"
#   remedy: "name the champion in compliance.yaml and run `ml-compliance measure champion`"
#   reads: ["input.evidence.champion.measurements[]"]
violation contains law.finding("champion.not_measured", item, "high", "metric", rest) if {
	some item in items
	not overall(item)
	found := evidence.find("champion", name_of(item), {}, set())
	rest := {
		"measurement": name_of(item),
		"values": {"metric": item.metric, "reason": evidence.reason("champion", found)},
	}
}

# METADATA
# title: "{values[metric]} was not compared with the champion's for every group by {values[attribute]}"
# description: A metric that is compared by group has been measured once for each group of that attribute.
# custom:
#   rule: champion.no_groups
#   severity: high
#   message: "{values[metric]} by {values[attribute]} cannot be judged: groups are missing, or there twice"
#   remedy: "list {values[attribute]} under `data: sensitive:` in compliance.yaml and run `ml-compliance measure champion`"
#   reads: ["input.evidence.champion.measurements[]", input.evidence.champion.facts.groups]
violation contains law.finding("champion.no_groups", item, "high", "slices", rest) if {
	some item in items
	some attribute in item.slices
	found := groups(item, attribute)
	not each_once(found, attribute)
	rest := {"measurement": name_of(item), "values": {"metric": item.metric, "attribute": attribute}}
}

each_once(found, attribute) if {
	evidence.usable("champion", {"measured"})
	listed := input.evidence.champion.facts.groups[attribute]
	is_array(listed)
	count(listed) > 0
	count(found) == count(listed)
	{group.slice[attribute] | some group in found} == {name | some name in listed}
}

# METADATA
# title: "{values[metric]} {slice} was not compared with the champion's"
# description: A group with enough cases has been compared; one whose cases were not counted does not pass.
# custom:
#   rule: champion.group_not_measured
#   severity: high
#   message: "{values[metric]} {slice} cannot be judged: {values[reason]}"
#   remedy: "run `ml-compliance measure champion`"
#   reads: ["input.evidence.champion.measurements[]"]
violation contains law.finding("champion.group_not_measured", item, "high", "slices", rest) if {
	some item in items
	some attribute in item.slices
	some group in groups(item, attribute)
	not judgeable(group)
	rest := {
		"measurement": name_of(item),
		"slice": group.slice,
		"n": evidence.number(group, "n"),
		"values": {"metric": item.metric, "reason": evidence.reason("champion", [group])},
	}
}

judgeable(group) if evidence.size(group, law.minimum) == "small"

judgeable(group) if {
	evidence.size(group, law.minimum) == "enough"
	evidence.is_measured(group)
}

# METADATA
# title: "no group by {values[attribute]} has enough cases to be compared with the champion"
# description: At least one group of an attribute that the law names has enough cases to be judged.
# custom:
#   rule: champion.no_group_judged
#   severity: high
#   message: "{values[metric]} by {values[attribute]} cannot be judged: every group has too few cases"
#   remedy: evaluate on more rows, or judge the groups together
#   reads: ["input.evidence.champion.measurements[]"]
violation contains law.finding("champion.no_group_judged", item, "high", "slices", rest) if {
	some item in items
	some attribute in item.slices
	found := groups(item, attribute)
	count(found) > 0
	every group in found {
		evidence.size(group, law.minimum) == "small"
	}
	rest := {"measurement": name_of(item), "values": {"metric": item.metric, "attribute": attribute}}
}

# METADATA
# title: "too few cases to compare every group by {values[attribute]} with the champion"
# description: Groups with too few cases are shown, and not judged.
# custom:
#   rule: champion.groups_not_judged
#   severity: low
#   message: "{values[metric]} by {values[attribute]}: shown, not judged: {values[groups]}"
#   remedy: collect more cases of these groups, or judge them together with others
#   reads: ["input.evidence.champion.measurements[]"]
insufficient contains law.finding("champion.groups_not_judged", item, "low", "slices", rest) if {
	some item in items
	some attribute in item.slices
	small := sort([evidence.group(group.slice, group) |
		some group in groups(item, attribute)
		evidence.size(group, law.minimum) == "small"
	])
	count(small) > 0
	rest := {
		"measurement": name_of(item),
		"values": {"metric": item.metric, "attribute": attribute, "count": count(small), "groups": small},
	}
}
