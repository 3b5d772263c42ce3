# METADATA
# description: >-
#   Reading the law; a malformed item is not applied in part. Beware of `not f(item.key)`: OPA takes the argument out of
#   the negation, so where the key is missing the whole expression is undefined, not true. Negate `f(item, "key")`.
package mlpolicy.lib.law

severities := {"critical", "high", "medium", "low"}

common_keys := {"id", "type", "severity", "description"}

default_minimum := {"cases": 30, "positives": 10, "negatives": 10}

stated_minimum := data.mlpolicy.law.minimum if is_object(data.mlpolicy.law.minimum)

else := {}

# What a group needs at least to be judged on its own.
minimum := object.union(default_minimum, stated_minimum)

items(type) := [item |
	is_array(data.mlpolicy.law.policies)
	some item in data.mlpolicy.law.policies
	is_text(item.id)
	item.type == type
]

is_text(value) if {
	is_string(value)
	trim_space(value) != ""
}

is_texts(value) if {
	is_array(value)
	count(value) > 0
	every text in value {
		is_text(text)
	}
}

# Unknown keys too: a misspelt limit would otherwise be no limit.
wrong_keys(item, known) := union({
	object.keys(item) - (known | common_keys),
	{"severity" | not item.severity in severities; "severity" in object.keys(item)},
	{"description" | not is_string(item.description); "description" in object.keys(item)},
})

has_text(object, key) if is_text(object[key])

has_texts(object, key) if is_texts(object[key])

has_number(object, key) if is_number(object[key])

optional_text(item, key) if not key in object.keys(item)

optional_text(item, key) if has_text(item, key)

optional_choice(item, key, choices) if object.get(item, key, choices[0]) in choices

finding(rule, item, severity, key, rest) := object.union(
	{"rule": rule, "policy": item.id, "severity": object.get(item, "severity", severity), "key": key},
	rest,
)

# A number from 0 to 1.
is_share(value) if {
	is_number(value)
	value >= 0
	value <= 1
}
