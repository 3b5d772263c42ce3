# METADATA
# description: >-
#   The measurements by name, slice and attributes. With many classes there are many questions, and each would otherwise
#   look through all measurements.
package mlpolicy.lib.index

import data.mlpolicy.lib.evidence

modules := ["fairness", "performance"]

places[[module, measurement.name, slice, across]] contains place if {
	some module in modules
	some place, measurement in evidence.measurements(module)
	slice := evidence.slice_of(measurement)
	across := evidence.across_of(measurement)
}

# As in `evidence`: every measurement that is meant, and the one if there is exactly one and it was measured.
find(module, name, slice, across) := [evidence.measurements(module)[place] |
	some place in places[[module, name, slice, across]]
]

measured(module, name, slice, across) := found[0] if {
	evidence.usable(module, {"measured"})
	found := find(module, name, slice, across)
	count(found) == 1
	evidence.is_measured(found[0])
}

# Places and slices of what is measured of groups, by name, attributes, and class or no class.
groups[[module, measurement.name, object.keys(slice), about]] contains [place, slice] if {
	some module in modules
	some place, measurement in evidence.measurements(module)
	slice := evidence.slice_of(measurement)
	is_object(slice)
	not "across" in object.keys(measurement)
	some about in [{}, object.filter(slice, ["class"])]
}
