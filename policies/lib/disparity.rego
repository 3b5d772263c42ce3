# METADATA
# description: What a disparity compares, in which direction it is limited, and whether it accounts for every group.
package mlpolicy.lib.disparity

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.index

parity := "retrain with a parity constraint (fairlearn.reductions.ExponentiatedGradient) or move the cut-off, then gate again"

loss := "retrain with a bound on the loss of every group (fairlearn.reductions.BoundedGroupLoss), then gate again"

weight := "give the groups that fall short more weight in training, or more rows, then gate again"

# What each family of metrics compares in plain words, the rate of a group if it is a single one, and the way out.
families := {
	"demographic_parity": {"what": "selection rate", "rate": "fairness/selection_rate", "remedy": parity},
	"equal_opportunity": {"what": "true positive rate", "rate": "fairness/true_positive_rate", "remedy": parity},
	"equalized_odds": {"what": "error rate", "remedy": parity},
	"predictive_parity": {"what": "precision", "rate": "fairness/precision", "remedy": parity},
	"mean_residual": {"what": "mean residual", "rate": "fairness/mean_residual", "remedy": loss},
	"group_loss": {"what": "mean absolute error", "rate": "fairness/mae", "remedy": loss},
}

family(metric) := families[name] if {
	some name
	startswith(metric, concat("", [name, "_"]))
	families[name]
}

else := {"what": metric, "remedy": parity}

# The constraints of fairlearn are for two classes and for numbers.
remedy(metric, slice) := weight if is_string(slice.class)

else := family(metric).remedy

# Metrics of predicted numbers; all others are shares.
of_numbers := {"mean_residual_difference", "group_loss_ratio"}

# A ratio of the least to the most favoured group is to be large; that of losses is the greatest to the least.
is_ratio(metric) if {
	metric != "group_loss_ratio"
	some ending in {"_ratio", "_ratio_mean"}
	endswith(metric, ending)
}

in_range("mean_residual_difference", value) if value >= 0

in_range("group_loss_ratio", value) if value >= 1

in_range(metric, value) if {
	not metric in of_numbers
	value >= 0
	value <= 1
}

# What is measured of every group that is counted.
counted(metric) := "fairness/mean_residual" if metric in of_numbers

else := "fairness/selection_rate"

# At least two groups are compared, and all that were counted are either compared or named as left out.
states_its_groups(metric, measurement) if {
	is_array(measurement.method.compared)
	is_array(measurement.method.excluded)
	count(measurement.method.compared) > 1
	rates := evidence.measurements("fairness")
	listed := array.concat(measurement.method.compared, measurement.method.excluded)
	every group in listed {
		is_object(group)
	}
	attributes := evidence.across_of(measurement)
	about := evidence.slice_of(measurement)
	groups := {object.union(which(group, attributes), about) | some group in listed}
	count(listed) == count(groups)
	count(groups) == measurement.method.groups
	found := index.groups.fairness[counted(metric)][attributes | object.keys(about)][about]
	count(found) == count(groups)
	{rates[place].slice | some place in found} == groups
}

# The attributes' values of a group, which may stand beside its counts or in a `slice` of its own.
which(group, attributes) := group.slice if {
	is_object(group.slice)
	count(attributes) > 0
}

else := object.filter(group, attributes)

# The lowest and the highest rate among the groups that were compared.
extremes(metric, measurement) := {"lowest": shown(found[0]), "highest": shown(found[count(found) - 1])} if {
	name := family(metric).rate
	attributes := evidence.across_of(measurement)
	about := evidence.slice_of(measurement)
	groups := {object.union(which(group, attributes), about) | some group in measurement.method.compared}
	found := sort([[rate.value, object.filter(rate.slice, attributes), evidence.number(rate, "n")] |
		some place in index.groups.fairness[name][attributes | object.keys(about)][about]
		rate := evidence.measurements("fairness")[place]
		evidence.is_measured(rate)
		rate.slice in groups
	])
	count(found) > 0
} else := {}

shown(rate) := {"value": rate[0], "group": rate[1], "n": rate[2]}
