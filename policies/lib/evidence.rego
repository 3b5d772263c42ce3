# METADATA
# description: >-
#   Reading the evidence. In Rego null < false < true < any number, so nothing is compared before its type is known,
#   and nothing counts as measured that is not there exactly once.
package mlpolicy.lib.evidence

measurements(module) := input.evidence[module].measurements if is_array(input.evidence[module].measurements)

else := []

exists(module) if is_object(input.evidence[module])

usable(module, statuses) if {
	exists(module)
	input.evidence[module].status in statuses
}

# Undefined of what is no object: OPA's functions fail there, and an engine that is strict then gives no answer.
slice_of(measurement) := object.get(measurement, "slice", {}) if is_object(measurement)

across_of(measurement) := set() if not has(measurement, "across")

else := {name | some name in measurement.across} if is_array(measurement.across)

else := null

# `across` is a set of attributes. Comparing the name first makes sure that a measurement is an object.
find(module, name, slice, across) := [measurement |
	some measurement in measurements(module)
	measurement.name == name
	slice_of(measurement) == slice
	across_of(measurement) == across
]

# The measurement, or undefined unless it exists exactly once and was measured.
measured(module, name, slice, across) := found[0] if {
	usable(module, {"measured"})
	found := find(module, name, slice, across)
	count(found) == 1
	is_measured(found[0])
}

is_measured(measurement) if {
	measurement.status == "measured"
	is_number(measurement.value)
}

# Why `measured` is undefined, in the words of whoever failed to measure.
reason(module, found) := "there is no evidence of this kind" if {
	is_array(found)
	not exists(module)
}

else := input.evidence[module].reason if {
	not usable(module, {"measured"})
	said(input.evidence[module])
}

else := found[0].reason if {
	count(found) == 1
	said(found[0])
}

else := "it is not among the measurements" if count(found) == 0

else := "it is there more than once" if count(found) > 1

else := "no usable number was given"

said(object) if {
	is_string(object.reason)
	object.reason != ""
}

# The fields of a finding that rests on one measurement.
about(measurement) := object.union(
	{
		"measurement": measurement.name,
		"value": measurement.value,
		"interval": interval(measurement),
		"n": number(measurement, "n"),
	},
	object.filter(measurement, ["slice", "across"]),
)

interval(measurement) := [measurement.interval.low, measurement.interval.high] if {
	is_number(measurement.interval.low)
	is_number(measurement.interval.high)
}

else := null

# How a group is shown: which it is, and how many cases it has.
group(slice, counts) := {"group": slice, "n": number(counts, "n")}

field(object, key) := object[key] if object[key]

else := null

number(object, key) := object[key] if is_number(object[key])

else := null

# Whether a group's counts reach the minimum; undefined unless every count is a number.
size(counts, minimum) := "small" if {
	counted(counts)
	below(counts, minimum)
} else := "enough" if counted(counts)

counted(counts) if {
	is_number(counts.n)
	is_number(counts.positives)
	is_number(counts.negatives)
}

below(counts, minimum) if counts.n < minimum.cases

below(counts, minimum) if counts.positives < minimum.positives

below(counts, minimum) if counts.negatives < minimum.negatives

# Whether something is an object with that key, whatever is there.
has(object, key) if _ = object[key]

is_sha256(value) if {
	is_string(value)
	count(value) == 64
	trim(lower(value), "0123456789abcdef") == ""
}

dataset := input.dataset if is_string(input.dataset)

else := null

is_features(value) if {
	is_array(value)
	count(value) > 0
	every feature in value {
		is_object(feature)
		is_string(feature.name)
		trim_space(feature.name) != ""
	}
}
