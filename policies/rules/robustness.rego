# METADATA
# title: Robustness
# description: Small changes of the inputs do not make the predictions much worse.
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.5
#   parameters:
#     type: object
#     required: [metric, max_drop, perturbations]
#     properties:
#       metric:
#         enum: [accuracy, balanced_accuracy, precision, recall, f1, mae]
#         description: What must not get much worse; of several classes accuracy, of predicted numbers mae.
#       max_drop:
#         type: number
#         minimum: 0
#         description: By how much the metric may get worse.
#       perturbations:
#         type: object
#         minProperties: 1
#         additionalProperties: false
#         description: What is done to the inputs, and how strongly.
#         properties:
#           noise:
#             type: number
#             exclusiveMinimum: 0
#             description: Gaussian noise on every numeric feature, in standard deviations of that feature.
#           missing:
#             type: number
#             exclusiveMinimum: 0
#             maximum: 1
#             description: The share of the values of every feature that is taken away.
#           shuffle:
#             type: number
#             exclusiveMinimum: 0
#             maximum: 1
#             description: The share of the rows in which every category is exchanged with that of another row.
#       decide_on:
#         enum: [estimate, bound]
#         default: estimate
#         description: Whether the estimate is held against the limit, or the unfavourable end of its interval.
package mlpolicy.rules.robustness

import data.mlpolicy.lib.bound
import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

wrong_keys(item) := union({
	law.wrong_keys(item, {"metric", "max_drop", "perturbations", "decide_on"}),
	{"metric" | not law.has_text(item, "metric")},
	{"max_drop" | not is_limit(item, "max_drop")},
	{"perturbations" | not valid_perturbations(item)},
	{"decide_on" | not law.optional_choice(item, "decide_on", bound.choices)},
})

is_limit(item, key) if {
	is_number(item[key])
	item[key] >= 0
}

valid_perturbations(item) if {
	is_object(item.perturbations)
	count(item.perturbations) > 0
	every name, strength in item.perturbations {
		name in {"noise", "missing", "shuffle"}
		is_number(strength)
		strength > 0
	}
}

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("robustness")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("robustness"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

asked contains {"item": item, "perturbation": name, "strength": strength} if {
	some item in items
	some name, strength in item.perturbations
}

name_of(item) := concat("", ["robustness/", item.metric, "_drop"])

# The measurements of this perturbation at the strength of the law.
found(question) := [measurement |
	some measurement in evidence.measurements("robustness")
	measurement.name == name_of(question.item)
	measurement.slice.perturbation == question.perturbation
	measurement.method.strength == question.strength
]

measured(question) := measurement if {
	evidence.usable("robustness", {"measured"})
	count(found(question)) == 1
	measurement := found(question)[0]
	evidence.is_measured(measurement)
	measurement.n >= law.minimum.cases
	bound.decidable(question.item, measurement)
}

described(question, values) := object.union(values, {
	"metric": question.item.metric,
	"perturbation": question.perturbation,
	"strength": question.strength,
})

# METADATA
# title: "{values[metric]} under {values[perturbation]} was not measured"
# description: The metric was measured, exactly once, under each perturbation that the law names, on enough rows.
# custom:
#   rule: robustness.not_measured
#   severity: high
#   message: "{values[metric]} under {values[perturbation]} of strength {values[strength]} cannot be judged: {values[reason]}"
#   remedy: "name a model in compliance.yaml and run `ml-compliance measure robustness` with this law; take out a perturbation that the model has no features for"
#   reads: ["input.evidence.robustness.measurements[]"]
violation contains law.finding("robustness.not_measured", question.item, "high", "perturbations", rest) if {
	some question in asked
	not measured(question)
	rest := {
		"measurement": name_of(question.item),
		"limit": question.item.max_drop,
		"values": described(question, {"reason": reason(question)}),
	}
}

reason(question) := bound.lacking if {
	evidence.is_measured(found(question)[0])
	not bound.decidable(question.item, found(question)[0])
}

else := "too few rows" if {
	count(found(question)) == 1
	evidence.is_measured(found(question)[0])
}

else := evidence.reason("robustness", found(question))

# METADATA
# title: "{values[metric]} suffers from {values[perturbation]}"
# description: No perturbation makes the metric worse by more than the law allows.
# custom:
#   rule: robustness.drop_too_large
#   severity: high
#   message: "{values[perturbation]} of strength {values[strength]} makes {values[metric]} worse by {measured}, limit {limit}{values[side]}"
#   remedy: "train with perturbed rows, regularise more strongly, or impute what is missing before the model; then gate again"
#   reads: ["input.evidence.robustness.measurements[].value"]
violation contains law.finding("robustness.drop_too_large", question.item, "high", "max_drop", rest) if {
	some question in asked
	measurement := measured(question)
	bound.highest(question.item, measurement) > question.item.max_drop
	values := described(question, {"side": bound.upper(question.item)})
	rest := object.union(evidence.about(measurement), {"limit": question.item.max_drop, "worse": "higher", "values": values})
}
