# METADATA
# title: Drift
# description: The data has not moved further from the reference table than the law allows, column by column.
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.4
#   parameters:
#     type: object
#     required: [metric, threshold]
#     properties:
#       metric:
#         enum:
#           - psi
#           - jensen_shannon
#           - kolmogorov_smirnov
#           - wasserstein
#           - wasserstein_normalised
#           - chi_squared
#           - missing_share
#         description: How the distance between the two distributions of a column is measured.
#       threshold:
#         type: number
#         minimum: 0
#         description: The greatest distance that is allowed.
#       columns:
#         type: array
#         minItems: 1
#         description: The columns that are judged, each of which has to be measured (default, every compared column).
#         items:
#           type: string
#           minLength: 1
#       ignore:
#         type: array
#         minItems: 1
#         description: Where every column is judged, those that are not; compliance.yaml may leave no other out, not even its data.id.
#         items:
#           type: string
#           minLength: 1
#       bins:
#         type: integer
#         minimum: 2
#         default: 10
#         description: The number of bins that numbers and dates are divided into at least; fewer hide drift.
#       floor:
#         type: number
#         exclusiveMinimum: 0
#         default: 0.0001
#         description: The share that an empty bin may count as at most in the PSI; a greater one hides drift.
#       log:
#         enum: [e, "2"]
#         default: e
#         description: The base of logarithms that the threshold of a PSI or a Jensen–Shannon distance is meant in.
package mlpolicy.rules.drift

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

# Of numbers and dates alone.
of_order := {"kolmogorov_smirnov", "wasserstein", "wasserstein_normalised"}

of_bins := {"psi", "jensen_shannon", "chi_squared"}

ordered_kinds := {"number", "date", "time stamp"}

kinds := ordered_kinds | {"true/false", "text"}

# How many columns a message names.
named := 5

wrong_keys(item) := union({
	law.wrong_keys(item, {"metric", "threshold", "columns", "ignore", "bins", "floor", "log"}),
	{"metric" | not object.get(item, "metric", null) in ((of_order | of_bins) | {"missing_share"})},
	{"threshold" | not at_least(object.get(item, "threshold", null), 0)},
	{"columns" | "columns" in object.keys(item); not law.is_texts(item.columns)},
	{"ignore" | "ignore" in object.keys(item); not law.is_texts(item.ignore)},
	{"ignore" | "ignore" in object.keys(item); "columns" in object.keys(item)},
	{"bins" | not at_least(bins(item), 2)},
	{"floor" | not above_zero(floor_of(item))},
	{"log" | not law.optional_choice(item, "log", ["e", "2"])},
})

at_least(value, least) if {
	is_number(value)
	value >= least
}

above_zero(value) if {
	is_number(value)
	value > 0
}

bins(item) := object.get(item, "bins", 10)

floor_of(item) := object.get(item, "floor", 0.0001)

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("drift")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("drift"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

name_of(item) := concat("/", ["drift", item.metric])

columns := input.evidence.drift.facts.columns

# The evidence accounts for its columns: as many as it says, each of a known kind and with its PSI, and no others.
accounted if {
	evidence.usable("drift", {"measured"})
	is_object(columns)
	count(columns) > 0
	count(columns) == input.evidence.drift.facts.compared
	every column in columns {
		column.kind in kinds
	}
	object.keys(columns) == {measurement.slice.column |
		some measurement in evidence.measurements("drift")
		measurement.name == "drift/psi"
		evidence.is_measured(measurement)
	}
}

asked(item) := {column | some column in item.columns} if "columns" in object.keys(item)

else := {column |
	accounted
	some column, about in columns
	applies(item.metric, about.kind)
	not ignored(item)[column]
}

ignored(item) := {column | some column in object.get(item, "ignore", [])}

applies(metric, _) if not metric in of_order

applies(metric, kind) if {
	metric in of_order
	kind in ordered_kinds
}

found(item, column) := evidence.find("drift", name_of(item), {"column": column}, set())

# What is held against the limit: a distance, over as many rows of both tables as the law asks of a group.
answers[item.id][column] := measurement if {
	accounted
	some item in items
	some column in asked(item)
	column in object.keys(columns)
	measurement := evidence.measured("drift", name_of(item), {"column": column}, set())
	measurement.value >= 0
	enough(measurement)
}

enough(measurement) if {
	is_number(measurement.n)
	is_number(measurement.method.reference_rows)
	measurement.n >= law.minimum.cases
	measurement.method.reference_rows >= law.minimum.cases
}

# METADATA
# title: "{values[count]} of {values[judged]} columns have drifted"
# description: The distance between a column and that of the reference table does not exceed the limit of the law.
# custom:
#   rule: drift.limit_exceeded
#   severity: high
#   message: "{values[metric]} is up to {value}, limit {limit}: {values[worst]}{values[more]}"
#   remedy: find out what has changed in these columns; if the change is meant, train anew and renew the reference table
#   reads: ["input.evidence.drift.measurements[]", input.evidence.drift.facts.columns]
violation contains law.finding("drift.limit_exceeded", item, "high", "threshold", rest) if {
	some item in items
	ranked := sort([[0 - measurement.value, column] |
		some column, measurement in answers[item.id]
		measurement.value > item.threshold
	])
	count(ranked) > 0
	worst := [{"group": {"column": place[1]}, "value": 0 - place[0], "n": answers[item.id][place[1]].n} |
		some place in array.slice(ranked, 0, named)
	]
	rest := object.union(evidence.about(answers[item.id][ranked[0][1]]), {"limit": item.threshold, "worse": "higher", "values": {
		"metric": item.metric,
		"count": count(ranked),
		"judged": count(answers[item.id]),
		"worst": worst,
		"more": more(count(ranked)),
	}})
}

more(count) := "" if count <= named

else := " and others"

# METADATA
# title: drift was not measured in every column that is judged
# description: Each column that the law names, or that was compared, has been measured once, over enough rows.
# custom:
#   rule: drift.not_measured
#   severity: high
#   message: "{values[metric]} cannot be judged: {values[columns]}{values[more]}"
#   remedy: "name tables that both hold these columns as `data: evaluation:` and `data: reference:` in compliance.yaml, and run `ml-compliance measure drift`"
#   reads: ["input.evidence.drift.measurements[]", input.evidence.drift.facts.columns]
violation contains law.finding("drift.not_measured", item, "high", "columns", rest) if {
	some item in items
	lacking := sort([{"column": column, "reason": reason(item, column)} |
		some column in sort(asked(item))
		not answers[item.id][column]
	])
	count(lacking) > 0
	rest := {"measurement": name_of(item), "limit": item.threshold, "values": {
		"metric": item.metric,
		"columns": array.slice(lacking, 0, named),
		"more": more(count(lacking)),
	}}
}

reason(item, column) := "too few rows" if {
	accounted
	measurement := evidence.measured("drift", name_of(item), {"column": column}, set())
	not enough(measurement)
}

else := evidence.reason("drift", found(item, column))

# METADATA
# title: drift was not measured
# description: The two tables have been compared, and every column that was compared is accounted for.
# custom:
#   rule: drift.not_compared
#   severity: high
#   message: "{values[metric]} cannot be judged: {values[reason]}"
#   remedy: "name a table as `data: reference:` in compliance.yaml and run `ml-compliance measure drift`"
#   reads: [input.evidence.drift.facts.columns, input.evidence.drift.facts.compared]
violation contains law.finding("drift.not_compared", item, "high", "metric", rest) if {
	some item in items
	not "columns" in object.keys(item)
	count(asked(item)) == 0
	rest := {"measurement": name_of(item), "values": {"metric": item.metric, "reason": whole_reason}}
}

whole_reason := "none of the compared columns has this number" if accounted

else := "its columns and its measurements do not fit together" if evidence.usable("drift", {"measured"})

else := evidence.reason("drift", [])

# METADATA
# title: The tables do not have the same columns
# description: Where the law judges every column, each one is in both tables, as the same type.
# custom:
#   rule: drift.columns_differ
#   severity: high
#   message: "{values[metric]} cannot be judged in every column: {values[columns]}{values[more]}"
#   remedy: "give both tables these columns, as the same type, or name in the law those that are judged (`columns:`) or not (`ignore:`)"
#   reads: [input.evidence.drift.facts.unmatched, input.evidence.drift.facts.unmatched_columns]
violation contains law.finding("drift.columns_differ", item, "high", "metric", rest) if {
	some item in items
	rest := not_judged(item, "unmatched")
}

# METADATA
# title: Columns are not judged, and the law does not leave them out
# description: Where the law judges every column, no other is left out in compliance.yaml, as its id is, or cannot be compared, than those that it names.
# custom:
#   rule: drift.columns_not_judged
#   severity: high
#   message: "{values[metric]} is not judged in every column: {values[columns]}{values[more]}"
#   remedy: "put these columns right, or name in the law those that are judged (`columns:`) or not (`ignore:`)"
#   reads: [input.evidence.drift.facts.left_out, input.evidence.drift.facts.left_out_columns]
violation contains law.finding("drift.columns_not_judged", item, "high", "metric", rest) if {
	some item in items
	rest := not_judged(item, "left_out")
}

not_judged(item, which) := {"measurement": name_of(item), "values": {
	"metric": item.metric,
	"columns": array.slice(lacking, 0, named),
	"more": more(count(lacking)),
}} if {
	not "columns" in object.keys(item)
	accounted
	lacking := apart(item, which)
	count(lacking) > 0
}

# Both the list and its length say so: one that was taken out is missed.
apart(item, which) := found if {
	found := [{"column": column, "reason": why} |
		is_object(input.evidence.drift.facts[which])
		some column, why in input.evidence.drift.facts[which]
		not ignored(item)[column]
	]
	count(found) > 0
}

else := [] if {
	is_object(input.evidence.drift.facts[which])
	count(input.evidence.drift.facts[which]) == input.evidence.drift.facts[concat("_", [which, "columns"])]
}

else := ["the evidence does not say which"]

# METADATA
# title: drift was measured in another way
# description: Bins are as fine, the floor is as low and logarithms have the base that the law asks for.
# custom:
#   rule: drift.measured_otherwise
#   severity: high
#   message: "{values[metric]} was measured with {values[key]} {values[stated]}, the law asks for {values[required]}"
#   remedy: "write `measure: drift: {values[key]}: {values[required]}` in compliance.yaml and run `ml-compliance measure drift`"
#   reads: ["input.evidence.drift.measurements[].method"]
violation contains law.finding("drift.measured_otherwise", item, "high", "metric", rest) if {
	some item in items
	some column, measurement in answers[item.id]
	some key, required in pins(item, columns[column].kind)
	stated := object.get(measurement, ["method", key], null)
	not holds(key, stated, required)
	values := {"metric": item.metric, "key": key, "stated": stated, "required": required}
	rest := {"measurement": name_of(item), "values": values}
}

# What the law fixes of a metric, for a column of some kind.
pins(item, kind) := object.filter(
	{"bins": bins(item), "floor": floor_of(item), "log": object.get(item, "log", "e")},
	{key | some key, metrics in pinned; item.metric in metrics; bin_matters(key, kind)},
)

pinned := {"bins": of_bins, "floor": {"psi"}, "log": {"psi", "jensen_shannon"}}

bin_matters(key, _) if key != "bins"

bin_matters("bins", kind) if kind in ordered_kinds

holds("bins", stated, required) if at_least(stated, required)

holds("floor", stated, required) if {
	is_number(stated)
	stated <= required
}

holds("log", stated, required) if stated == required

# METADATA
# title: columns are left out by the law
# description: Columns that the law leaves out are shown, and not judged.
# custom:
#   rule: drift.columns_left_out
#   severity: low
#   message: "shown, not judged: {values[columns]}"
#   remedy: name none under `ignore:` in the law that matters
#   reads: [input.evidence.drift.facts.columns]
insufficient contains law.finding("drift.columns_left_out", item, "low", "ignore", rest) if {
	some item in items
	count(ignored(item)) > 0
	out := [{"column": column, "reason": "left out by the law"} | some column in sort(ignored(item))]
	rest := {"measurement": name_of(item), "values": {"columns": array.slice(out, 0, named)}}
}
