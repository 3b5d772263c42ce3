# METADATA
# description: >-
#   What is held against a limit: the estimate, or the end of its interval that speaks against the model. Undefined
#   where the law decides on the bound and there is no interval around the estimate.
package mlpolicy.lib.bound

choices := ["estimate", "bound"]

decides_on_bound(item) if item.decide_on == "bound"

# What has to reach a minimum.
lowest(item, measurement) := ends(measurement)[0] if decides_on_bound(item)

else := measurement.value if not decides_on_bound(item)

# What must not exceed a maximum.
highest(item, measurement) := ends(measurement)[1] if decides_on_bound(item)

else := measurement.value if not decides_on_bound(item)

ends(measurement) := [measurement.interval.low, measurement.interval.high] if {
	is_number(measurement.interval.low)
	is_number(measurement.interval.high)
	measurement.interval.low <= measurement.value
	measurement.value <= measurement.interval.high
}

decidable(item, measurement) if is_number(lowest(item, measurement))

lower(item) := " for the lower end of the interval" if decides_on_bound(item)

else := ""

upper(item) := " for the upper end of the interval" if decides_on_bound(item)

else := ""

lacking := "the law decides on the bound, and there is no interval"
