# METADATA
# title: Performance
# description: A performance metric reaches the bounds that the law states, over all rows and in each group it names.
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.5
#     - EU AI Act Annex IV 3
#     - EU AI Act Annex IV 4
#     - ISO/IEC 42001 A.6.2.4
#   parameters:
#     type: object
#     required: [metric]
#     anyOf:
#       - required: [minimum]
#       - required: [maximum]
#     if:
#       properties:
#         metric:
#           not:
#             enum: [log_loss, mae, rmse, r2, mean_residual]
#     then:
#       properties:
#         minimum:
#           minimum: 0
#           maximum: 1
#         maximum:
#           minimum: 0
#           maximum: 1
#     properties:
#       metric:
#         enum:
#           - accuracy
#           - balanced_accuracy
#           - precision
#           - recall
#           - f1
#           - roc_auc
#           - average_precision
#           - log_loss
#           - brier
#           - macro_precision
#           - macro_recall
#           - macro_f1
#           - weighted_precision
#           - weighted_recall
#           - weighted_f1
#           - mae
#           - rmse
#           - r2
#           - mean_residual
#         description: >-
#           The metric, such as accuracy, roc_auc or log_loss; over several classes macro_f1 or recall, of numbers mae,
#           rmse or r2. A loss needs a maximum.
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
#       class:
#         type: string
#         minLength: 1
#         description: Of several classes, the one that precision, recall or f1 is about; every class when nothing is said.
#       decide_on:
#         enum: [estimate, bound]
#         default: estimate
#         description: Whether the estimate is held against the bounds, or the unfavourable end of its interval.
#       dataset:
#         type: string
#         minLength: 1
#         description: The name of the evaluation data that the law means.
package mlpolicy.rules.performance

import data.mlpolicy.lib.bound
import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.index
import data.mlpolicy.lib.law
import data.mlpolicy.lib.task

wrong_keys(item) := union({
	law.wrong_keys(item, {"metric", "minimum", "maximum", "slices", "class", "decide_on", "dataset"}),
	{"metric" | not law.has_text(item, "metric")},
	{limit | some limit in limits(item); not is_number(item[limit])},
	{"minimum" | count(limits(item)) == 0},
	{limit | some limit in limits(item); item.metric in shares; not law.is_share(item[limit])},
	{"maximum" | item.metric in losses; not "maximum" in limits(item)},
	{"slices" | "slices" in object.keys(item); not law.is_texts(item.slices)},
	{"class" | not law.optional_text(item, "class")},
	{"decide_on" | not law.optional_choice(item, "decide_on", bound.choices)},
	{"dataset" | not law.optional_text(item, "dataset")},
})

limits(item) := {"minimum", "maximum"} & object.keys(item)

# Smaller is better: a minimum alone would allow the worst of models.
losses := {"log_loss", "brier", "mae", "rmse"}

# From 0 to 1: a bound outside could never be missed, or never be met.
shares := {
	"accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "average_precision", "brier",
	"macro_precision", "macro_recall", "macro_f1", "weighted_precision", "weighted_recall", "weighted_f1",
}

# Of several classes, what is measured of each class alone.
of_a_class := {"precision", "recall", "f1"}

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("performance")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("performance"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

# What the law asks for: an item over all rows and, of several classes, a class.
asked contains {"item": item, "slice": slice} if {
	some item in items
	some slice in slices(item)
}

slices(item) := task.slices("performance", item) if item.metric in of_a_class

else := {{"class": item.class}} if "class" in object.keys(item)

else := {{}}

name_of(item) := concat("/", ["performance", item.metric])

overall(question) := measurement if {
	measurement := index.measured("performance", name_of(question.item), question.slice, set())
	bound.decidable(question.item, measurement)
}

# The groups of each attribute that an item names: all of them, whether measured or not, and by their size.
grouped := [{"question": question, "attribute": attribute, "all": all, "small": small, "enough": enough, "rest": rest} |
	some question in asked
	some attribute in question.item.slices
	all := groups(question, attribute)
	minimum := object.filter(law.minimum, needs(name_of(question.item)))
	sizes := [size(group, minimum) | some group in all]
	small := [group | some place, group in all; sizes[place] == "small"]
	enough := [group | some place, group in all; sizes[place] == "enough"]
	rest := [group | some place, group in all; sizes[place] == "not counted"]
]

groups(question, attribute) := [evidence.measurements("performance")[place] |
	attributes := {attribute} | object.keys(question.slice)
	some place in index.groups.performance[name_of(question.item)][attributes][question.slice]
]

size(group, minimum) := known if {
	known := task.size("performance", group, minimum)
} else := "not counted"

# What a metric asks of a group, besides cases: a share of right answers needs none of a class, and must not be lost
# because the group has few of it.
needed := {
	"performance/accuracy": {"cases"},
	"performance/brier": {"cases"},
	"performance/log_loss": {"cases"},
	"performance/precision": {"cases"},
	"performance/recall": {"cases", "positives"},
}

needs(name) := object.get(needed, name, {"cases", "positives", "negatives"})

judgeable(item, group) if {
	evidence.is_measured(group)
	bound.decidable(item, group)
}

# What is held against the bounds: the metric over all rows, and in each group with enough cases.
answers := array.concat(
	[{"item": question.item, "measurement": overall(question)} | some question in asked],
	[{"item": found.question.item, "measurement": group} |
		evidence.usable("performance", {"measured"})
		some found in grouped
		some group in found.enough
		judgeable(found.question.item, group)
	],
)

# METADATA
# title: "{values[metric]} {slice} is too low"
# description: A metric reaches the least value that the law allows.
# custom:
#   rule: performance.too_low
#   severity: high
#   message: "{values[metric]} {slice} is {measured}, at least {limit} is required{values[side]}"
#   remedy: improve the model where it falls short, or offer another one; the requirement is written in the law
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.too_low", answer.item, "high", "minimum", rest) if {
	some answer in answers
	bound.lowest(answer.item, answer.measurement) < answer.item.minimum
	values := {"metric": answer.item.metric, "side": bound.lower(answer.item)}
	rest := object.union(evidence.about(answer.measurement), {"limit": answer.item.minimum, "worse": "lower", "values": values})
}

# METADATA
# title: "{values[metric]} {slice} is too high"
# description: A metric does not exceed the greatest value that the law allows.
# custom:
#   rule: performance.too_high
#   severity: high
#   message: "{values[metric]} {slice} is {measured}, at most {limit} is allowed{values[side]}"
#   remedy: improve the model where it falls short, or offer another one; the requirement is written in the law
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.too_high", answer.item, "high", "maximum", rest) if {
	some answer in answers
	bound.highest(answer.item, answer.measurement) > answer.item.maximum
	values := {"metric": answer.item.metric, "side": bound.upper(answer.item)}
	rest := object.union(evidence.about(answer.measurement), {"limit": answer.item.maximum, "worse": "higher", "values": values})
}

# METADATA
# title: "{values[metric]} was not measured"
# description: What the law limits has been measured, exactly once, with an interval if the law decides on its bound.
# custom:
#   rule: performance.not_measured
#   severity: high
#   message: "{values[metric]} cannot be judged: {values[reason]}"
#   remedy: "run `ml-compliance measure performance`; metrics such as roc_auc need a score column"
#   reads: ["input.evidence.performance.measurements[]", "input.evidence.performance.facts.classes"]
violation contains law.finding("performance.not_measured", question.item, "high", "metric", rest) if {
	some question in asked
	not overall(question)
	found := index.find("performance", name_of(question.item), question.slice, set())
	rest := {
		"measurement": name_of(question.item),
		"slice": question.slice,
		"values": {"metric": task.named(question.item.metric, question.slice), "reason": reason(found)},
	}
}

reason(found) := bound.lacking if {
	evidence.usable("performance", {"measured"})
	count(found) == 1
	evidence.is_measured(found[0])
}

else := evidence.reason("performance", found)

# METADATA
# title: "{values[metric]} was not measured for every group by {values[attribute]}"
# description: A metric that the law limits by group has been measured once for each group of that attribute.
# custom:
#   rule: performance.no_groups
#   severity: high
#   message: "{values[metric]} by {values[attribute]} cannot be judged: groups are missing, or there twice"
#   remedy: "list {values[attribute]} under `data: sensitive:` in compliance.yaml and run `ml-compliance measure performance`"
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.no_groups", found.question.item, "high", "slices", rest) if {
	some found in grouped
	not each_once(found.all, found.attribute)
	metric := task.named(found.question.item.metric, found.question.slice)
	rest := {"measurement": name_of(found.question.item), "values": {"metric": metric, "attribute": found.attribute}}
}

# All are of the same attributes and the same class, so that no two are of one value.
each_once(groups_found, attribute) if {
	evidence.usable("performance", {"measured"})
	count(groups_found) > 0
	seen := {object.filter(group.slice, [attribute]) | some group in groups_found}
	count(seen) == count(groups_found)
	count({known | some known in known_to_fairness[attribute]} - seen) == 0

	# One that does not say which group it is about may be of a group that is missing here.
	every rate in rates_of_fairness {
		is_object(rate.slice)
		count(object.keys(rate.slice) - {"class"}) > 0
	}
}

# The groups that fairness knows of the same attribute, in whichever class: none of them may be missing.
known_to_fairness[attribute] contains object.filter(slice, [attribute]) if {
	some rate in rates_of_fairness
	slice := evidence.slice_of(rate)
	is_object(slice)
	some attribute in object.keys(slice)
	object.keys(slice) - {"class"} == {attribute} - {"class"}
}

rates_of_fairness := [rate |
	some rate in evidence.measurements("fairness")
	rate.name in {"fairness/selection_rate", "fairness/mean_residual"}
]

# METADATA
# title: "{values[metric]} {slice} was not measured"
# description: A group with enough cases has been measured; one whose cases were not counted does not pass.
# custom:
#   rule: performance.group_not_measured
#   severity: high
#   message: "{values[metric]} {slice} cannot be judged: {values[reason]}"
#   remedy: "run `ml-compliance measure performance`"
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.group_not_measured", found.question.item, "high", "slices", rest) if {
	some found in grouped
	some missing in not_measured(found)
	rest := {
		"measurement": name_of(found.question.item),
		"slice": missing.group.slice,
		"n": evidence.number(missing.group, "n"),
		"values": {"metric": found.question.item.metric, "reason": missing.reason},
	}
}

not_measured(found) := array.concat(
	[{"group": group, "reason": reason([group])} |
		some group in found.enough
		not judgeable(found.question.item, group)
	],
	[{"group": group, "reason": "its cases were not counted"} | some group in found.rest],
)

# METADATA
# title: "no group by {values[attribute]} has enough cases"
# description: At least one group of an attribute that the law names has enough cases to be judged.
# custom:
#   rule: performance.no_group_judged
#   severity: high
#   message: "{values[metric]} by {values[attribute]} cannot be judged: every group has too few cases"
#   remedy: evaluate on more rows, or judge the groups together
#   reads: ["input.evidence.performance.measurements[]"]
violation contains law.finding("performance.no_group_judged", found.question.item, "high", "slices", rest) if {
	some found in grouped
	count(found.all) > 0
	count(found.small) == count(found.all)
	metric := task.named(found.question.item.metric, found.question.slice)
	rest := {"measurement": name_of(found.question.item), "values": {"metric": metric, "attribute": found.attribute}}
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
insufficient contains law.finding("performance.groups_not_judged", found.question.item, "low", "slices", rest) if {
	some found in grouped
	count(found.small) > 0
	small := sort([evidence.group(object.filter(group.slice, [found.attribute]), group) | some group in found.small])
	metric := task.named(found.question.item.metric, found.question.slice)
	values := {"metric": metric, "attribute": found.attribute, "count": count(small), "groups": small}
	rest := {"measurement": name_of(found.question.item), "values": values}
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
