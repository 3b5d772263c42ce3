# METADATA
# description: >-
#   Reading a waiver. It is part of the submission, and states how much of a group it names, so that one from which
#   something was taken does not cover more than before. The law says whether waivers count at all.
package mlpolicy.lib.waiver

import data.mlpolicy.lib.days
import data.mlpolicy.lib.law

default_days := 90

all := input.waivers if is_array(input.waivers)

else := [input.waivers] if {
	is_object(input)
	"waivers" in object.keys(input)
}

else := []

# Undefined where the law has no waivers, or says something about them that cannot be read.
terms := data.mlpolicy.law.waivers if valid_terms(data.mlpolicy.law.waivers)

valid_terms(terms) if {
	is_object(terms)
	object.keys(terms) - {"max_days", "approvers"} == set()
	is_number(object.get(terms, "max_days", default_days))
	object.get(terms, "max_days", default_days) > 0
	law.is_texts(object.get(terms, "approvers", ["anyone"]))
}

well_formed(waiver) if {
	is_object(waiver)
	every key in ["model", "reason", "owner"] {
		law.is_text(waiver[key])
	}
	days.number(waiver.created)
	days.number(waiver.expires)
	waiver.coverage == {"slice": extent(waiver.slice), "across": extent(waiver.across)}
	is_ceiling(object.get(waiver, "ceiling", null))
	is_string(waiver.location.file)
	is_number(waiver.location.line)
}

# How much is named: that much has to be there.
extent("any") := "any"

extent(named) := count(named) if is_group(named)

is_group(named) if is_object(named)

is_group(named) if is_array(named)

is_ceiling(value) if is_number(value)

is_ceiling(null)

# One rule and one item of the law: `*` stands for nothing.
is_definite(waiver) if {
	every key in ["rule", "policy"] {
		law.is_text(waiver[key])
		not contains(waiver[key], "*")
	}
}

models contains input.model.name if law.is_text(input.model.name)

models contains concat("/", [input.model.name, input.model.version]) if {
	law.is_text(input.model.name)
	law.is_text(input.model.version)
}

# By somebody else than its owner, and by one of those whom the law names, if it names any.
approved(waiver) if {
	law.is_text(waiver.approver)
	plain(waiver.approver) != plain(waiver.owner)
	waiver.approver in object.get(terms, "approvers", [waiver.approver])
}

plain(name) := lower(trim_space(name))

today := days.of_moment(input.created)

# A waiver holds from the day of its creation to that of its expiry, both included, in UTC.
not_in_force(waiver) := "the submission does not say when it was made" if not today

else := "it has expired" if today > days.number(waiver.expires)

else := "it has not begun" if today < days.number(waiver.created)

else := "it lasts longer than the law allows" if {
	days.number(waiver.expires) - days.number(waiver.created) > object.get(terms, "max_days", default_days)
}
