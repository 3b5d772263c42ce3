# METADATA
# description: >-
#   The measurements by name, slice and attributes. With many groups and classes there are many questions, and each would
#   otherwise look through all measurements.
package mlpolicy.lib.index

import data.mlpolicy.lib.evidence

modules := ["fairness", "performance"]

# What is measured of groups and asked for by no item of the law: to count, to compare and to name them.
rates := {
	"fairness/demographic_parity_difference", "fairness/selection_rate", "fairness/true_positive_rate",
	"fairness/precision", "fairness/mean_residual", "fairness/mae",
}

# Other measurements are not sorted, which would cost more than to judge.
names := rates | {concat("/", [module, item.metric]) |
	some module in modules
	some item in data.mlpolicy.law.policies
	is_string(item.metric)
}

# Places of what is measured over all rows or of one class, and of what is compared across groups there.
places[module][measurement.name][slice][across] contains place if {
	some module in modules
	some place, measurement in evidence.measurements(module)
	names[measurement.name]
	slice := evidence.slice_of(measurement)
	is_object(slice)
	object.remove(slice, ["class"]) == {}
	across := evidence.across_of(measurement)
}

# As in `evidence`, of all rows or one class: every measurement that is meant, and the one if there is exactly one and
# it was measured.
find(module, name, slice, across) := [evidence.measurements(module)[place] |
	some place in places[module][name][slice][across]
]

measured(module, name, slice, across) := found[0] if {
	evidence.usable(module, {"measured"})
	found := find(module, name, slice, across)
	count(found) == 1
	evidence.is_measured(found[0])
}

# Places of what is measured of groups, by name, attributes, and class or no class.
groups[module][measurement.name][attributes][about] contains place if {
	some module in modules
	some place, measurement in evidence.measurements(module)
	names[measurement.name]
	slice := evidence.slice_of(measurement)
	is_object(slice)
	not evidence.has(measurement, "across")
	attributes := object.keys(slice)
	some about in abouts(slice)
}

abouts(slice) := [{}, {"class": slice.class}] if evidence.has(slice, "class")

else := [{}]
