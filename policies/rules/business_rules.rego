# METADATA
# title: Business rules
# description: The predictions keep hard limits that hold whatever the model has learnt.
# custom:
#   regulations:
#     - EU AI Act Art. 9
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.5
#   parameters:
#     type: object
#     required: [limits]
#     properties:
#       limits:
#         type: array
#         minItems: 1
#         description: "The limits; in each row that `when` selects, `then` must hold."
#         items:
#           type: object
#           required: [id, when, then]
#           additionalProperties: false
#           properties:
#             id:
#               type: string
#               minLength: 1
#               description: A name that violations cite.
#             when: &condition
#               type: object
#               minProperties: 1
#               description: "Columns, or `prediction` or `score`: each with its value, or with `min`, `max` (both inclusive) or `in`."
#               additionalProperties:
#                 anyOf:
#                   - type: [string, number, boolean]
#                   - type: object
#                     minProperties: 1
#                     additionalProperties: false
#                     properties:
#                       min:
#                         type: number
#                       max:
#                         type: number
#                       in:
#                         type: array
#                         minItems: 1
#                         items:
#                           type: [string, number, boolean]
#             then: *condition
#       max_share:
#         type: number
#         minimum: 0
#         maximum: 1
#         default: 0
#         description: The share of the selected rows that may break a limit.
package mlpolicy.rules.business_rules

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

share := "business_rules/broken_share"

wrong_keys(item) := union({
	law.wrong_keys(item, {"limits", "max_share"}),
	{"limits" | not valid_limits(item)},
	{"max_share" | not law.is_share(max_share(item))},
})

valid_limits(item) if {
	is_array(item.limits)
	count(item.limits) > 0
	every limit in item.limits {
		object.keys(limit) == {"id", "when", "then"}
		law.is_text(limit.id)
		valid_condition(limit.when)
		valid_condition(limit.then)
	}
	count({limit.id | some limit in item.limits}) == count(item.limits)
}

valid_condition(condition) if {
	is_object(condition)
	count(condition) > 0
}

max_share(item) := object.get(item, "max_share", 0)

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("business_rules")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("business_rules"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

# What was measured of a limit, if it is the limit that the law states now and the numbers fit together.
about(item, limit) := found[0] if {
	evidence.usable("business_rules", {"measured"})
	found := evidence.find("business_rules", share, {"policy": item.id, "limit": limit.id}, set())
	count(found) == 1
	found[0].method.when == limit.when
	found[0].method.then == limit.then
	every key in {"selected", "broken", "undetermined"} {
		is_number(found[0].method[key])
	}
	found[0].n == found[0].method.selected
}

asked contains {"item": item, "limit": limit} if {
	some item in items
	some limit in item.limits
}

exercised(question) if {
	found := about(question.item, question.limit)
	evidence.is_measured(found)
	law.is_share(found.value)
	found.n > 0

	# The share was rounded when it was written down.
	abs((found.value * found.n) - found.method.broken) < 0.000001 * found.n
}

unexercised(question) if {
	found := about(question.item, question.limit)
	found.status == "not_estimable"
	found.n == 0
}

# METADATA
# title: "the limit {values[limit]} was not checked"
# description: Each limit of the law was checked, as it is written now, on every row.
# custom:
#   rule: business_rules.not_measured
#   severity: high
#   message: "the limit `{values[limit]}` was not checked as the law states it: {values[reason]}"
#   remedy: "run `ml-compliance measure business_rules` with this law"
#   reads: ["input.evidence.business_rules.measurements[]"]
violation contains law.finding("business_rules.not_measured", question.item, "high", "limits", rest) if {
	some question in asked
	not exercised(question)
	not unexercised(question)
	rest := {"values": {"limit": question.limit.id, "reason": reason(question)}}
}

reason(question) := "another limit of this name was checked, or its numbers do not fit together" if {
	evidence.measured("business_rules", share, {"policy": question.item.id, "limit": question.limit.id}, set())
}

else := evidence.reason(
	"business_rules",
	evidence.find("business_rules", share, {"policy": question.item.id, "limit": question.limit.id}, set()),
)

counted(question) := object.union(evidence.about(found), {"limit": max_share(question.item), "values": values}) if {
	found := about(question.item, question.limit)
	values := {
		"limit": question.limit.id,
		"broken": found.method.broken,
		"undetermined": found.method.undetermined,
		"examples": examples(found),
	}
}

# Rows are shown by id, where they have one.
examples(found) := concat("", [": such as ", concat(", ", found.method.examples)]) if law.is_texts(found.method.examples)

else := ""

# METADATA
# title: "predictions break the limit {values[limit]}"
# description: No more than the stated share of the rows that a limit is about breaks it.
# custom:
#   rule: business_rules.broken
#   severity: critical
#   message: "{values[broken]} of {n} rows ({value}) break the limit `{values[limit]}`, allowed is a share of {limit}{values[examples]}"
#   remedy: "put the limit into the code that uses the model, or retrain; then gate again"
#   reads: ["input.evidence.business_rules.measurements[].value"]
violation contains law.finding("business_rules.broken", question.item, "critical", "limits", rest) if {
	some question in asked
	exercised(question)
	about(question.item, question.limit).value > max_share(question.item)
	rest := object.union(counted(question), {"worse": "higher"})
}

# METADATA
# title: "the limit {values[limit]} is open where values are missing"
# description: Whether a limit is broken is known of every row.
# custom:
#   rule: business_rules.undetermined
#   severity: high
#   message: "{values[undetermined]} rows lack a value that the limit `{values[limit]}` asks for, so it may be broken there"
#   remedy: fill in the columns that `when` names, or judge rows without them by a limit of their own
#   reads: ["input.evidence.business_rules.measurements[].method.undetermined"]
violation contains law.finding("business_rules.undetermined", question.item, "high", "limits", rest) if {
	some question in asked
	about(question.item, question.limit).method.undetermined > 0
	rest := counted(question)
}

# METADATA
# title: "the limit {values[limit]} was not exercised"
# description: A limit that no row is about has not been tested.
# custom:
#   rule: business_rules.not_exercised
#   severity: low
#   message: "no row of the data is one that the limit `{values[limit]}` is about"
#   remedy: add such rows to the evaluation data
#   reads: ["input.evidence.business_rules.measurements[].n"]
insufficient contains law.finding("business_rules.not_exercised", question.item, "low", "limits", rest) if {
	some question in asked
	unexercised(question)
	rest := {"values": {"limit": question.limit.id}}
}
