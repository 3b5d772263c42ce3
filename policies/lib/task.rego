# METADATA
# description: >-
#   What depends on what is predicted: one of two classes, one of several (each then stands against the rest, and is
#   named in the slice of its measurements), or a number.
package mlpolicy.lib.task

import data.mlpolicy.lib.evidence

# What an item of the law is about: the class it names, or else each class of the evidence, or else no class.
slices(module, item) := {{"class": item.class}} if "class" in object.keys(item)

else := {{"class": class} | some class in classes(module)} if count(classes(module)) > 0

else := {{}}

# The classes that the evidence lists, undefined unless they are those of its measurements: none may be missing.
classes(module) := listed if {
	listed := input.evidence[module].facts.classes
	is_array(listed)
	known := {class |
		some measurement in evidence.measurements(module)
		class := measurement.slice.class
	}
	count(listed) == count(known)
	{class | some class in listed} == known
}

# The class of a slice, put behind the words that are about it.
named(words, slice) := concat(" of class ", [words, slice.class]) if is_string(slice.class)

else := words

# What makes a group large enough. Predicted numbers have no positives.
counts(module) := {"cases"} if input.evidence[module].facts.task == "regression"

else := {"cases", "positives", "negatives"}

# Whether a group reaches the minimum. Over several classes, and of numbers, there are only cases to be counted.
size(module, group, minimum) := evidence.size(group, minimum) if {
	some key in ["positives", "negatives"]
	evidence.has(group, key)
}

else := evidence.size({"n": group.n, "positives": 0, "negatives": 0}, object.filter(minimum, ["cases"])) if {
	input.evidence[module].facts.task in {"multiclass", "regression"}
}
