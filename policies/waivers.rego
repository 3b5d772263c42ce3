# METADATA
# title: Waivers
# description: >-
#   A waiver sets one violation aside for a time, up to a ceiling. What is waived stays visible; a waiver that does not
#   count is shown with the reason. Nothing that is wrong with the submission or the law can be waived.
package mlpolicy.waivers

import data.mlpolicy.lib.law
import data.mlpolicy.lib.waiver

# Findings about measurements that are no number, and no lack of one either.
without_number := {"data_validation.schema_anomaly"}

refusal(one) := "malformed" if not waiver.well_formed(one)

else := "not_allowed" if not waiver.terms

else := "too_broad" if not waiver.is_definite(one)

else := "other_model" if not one.model in waiver.models

else := "unapproved" if not waiver.approved(one)

else := "not_in_force" if waiver.not_in_force(one)

valid contains index if {
	some index, one in waiver.all
	not refusal(one)
}

# Findings are handed on by their place, which costs less than the whole of them. What is asked often is a rule with one
# value: OPA keeps that, but finds the members of a partial rule anew. In WebAssembly `x in set` looks at every member,
# `set[x]` does not.
findings := [finding |
	count(valid) > 0
	some finding in data.mlpolicy.rules[_].violation
]

# What valid waivers are about, and what they cover of it, by the waiver.
meant := {index: about_them |
	some index in valid
	one := waiver.all[index]
	about_them := {place |
		some place, finding in findings
		finding.rule == one.rule
		finding.policy == one.policy
	}
}

covered := {index: fitting |
	some index, found in meant
	one := waiver.all[index]
	fitting := {place |
		some place in found
		fits(one.slice, parts[place])
		fits(one.across, spans[place])
	}
}

fits("any", _)

fits(stated, actual) if {
	is_object(stated)
	stated == actual
}

fits(stated, actual) if {
	is_array(stated)
	is_array(actual)
	{name | some name in stated} == {name | some name in actual}
}

# Which of several cases a finding is about: a group, or the thing that it names.
parts := [part |
	some finding in findings
	part := object.union(
		object.filter(object.get(finding, "values", {}), ["feature", "artifact", "column", "cve", "global", "check"]),
		object.get(finding, "slice", {}),
	)
]

spans := [object.get(finding, "across", []) | some finding in findings]

borne := {index: bearable_ones |
	some index, found in covered
	bearable_ones := {place | some place in found; bearable(findings[place], waiver.all[index])}
}

excused := {findings[place] | some place in borne[_]}

waived contains object.union(findings[place], {"waiver": waiver.all[index]}) if {
	some index, found in borne
	some place in found
	not borne_earlier(place, index)
}

borne_earlier(place, index) if {
	some earlier, found in borne
	earlier < index
	found[place]
}

bearable(finding, _) if is_fact(finding)

bearable(finding, one) if {
	is_number(one.ceiling)
	within(finding.worse, finding, one.ceiling)
}

within("higher", finding, ceiling) if held(finding, 1) <= ceiling

within("lower", finding, ceiling) if held(finding, 0) >= ceiling

# What is wrong in either direction.
within("further", finding, ceiling) if {
	abs(held(finding, 0)) <= ceiling
	abs(held(finding, 1)) <= ceiling
}

# Not a number that was measured, nor the lack of one.
is_fact(finding) if not "measurement" in object.keys(finding)

is_fact(finding) if finding.rule in without_number

# A number that violates a limit says in which direction it becomes worse.
is_measured(finding) if {
	is_number(finding.limit)
	finding.worse in {"higher", "lower", "further"}
}

# The number that is held against the ceiling, which is the one that the law decides on. Undefined where there is none.
held(finding, end) := finding.interval[end] if {
	decides_on_bound(finding)
	is_number(finding.interval[end])
}

held(finding, _) := finding.value if {
	not decides_on_bound(finding)
	is_number(finding.value)
}

decides_on_bound(finding) if finding.policy in on_bound

on_bound := {item.id |
	some item in data.mlpolicy.law.policies
	item.decide_on == "bound"
}

about(one, rest) := object.union({"at": object.get(one, "location", null), "values": values(one)}, rest)

values(one) := {key: one[key] |
	some key in ["rule", "policy", "model", "owner", "approver", "created", "expires"]
	is_string(one[key])
}

item(one) := {"id": object.get(values(one), "policy", "")}

refused[name] contains one if {
	some one in waiver.all
	name := refusal(one)
}

# METADATA
# title: a waiver cannot be read
# description: A waiver has a model, a reason, an owner and two dates, and is as it was when it was submitted.
# custom:
#   rule: waivers.malformed
#   severity: medium
#   message: a waiver in the submission is not what waivers look like, and does not count
#   remedy: put waivers.yaml right and submit again; do not edit the submission
#   reads: ["input.waivers[]"]
warning contains law.finding("waivers.malformed", {"id": ""}, "medium", "", {}) if count(refused.malformed) > 0

# METADATA
# title: the law has no waivers
# description: The law says whether waivers count, how long they last, and who approves them.
# custom:
#   rule: waivers.not_allowed
#   severity: medium
#   message: "the waiver of {values[rule]} does not count: the law says nothing of waivers"
#   remedy: "write `waivers:` with `approvers:` and `max_days:` in compliance_policy.yaml, or remove the waiver"
#   reads: ["input.waivers[]", data.mlpolicy.law.waivers]
warning contains law.finding("waivers.not_allowed", item(one), "medium", "", about(one, {})) if {
	some one in refused.not_allowed
}

# METADATA
# title: a waiver is too broad
# description: A waiver names one rule and one item of the law, without wildcards, and the group if the violation has one.
# custom:
#   rule: waivers.too_broad
#   severity: medium
#   message: "the waiver of {values[rule]} does not count: it names no single rule and policy"
#   remedy: "name `rule` and `policy` as the violation does"
#   reads: ["input.waivers[].rule", "input.waivers[].policy"]
warning contains law.finding("waivers.too_broad", item(one), "medium", "", about(one, {})) if {
	some one in refused.too_broad
}

# METADATA
# title: a waiver is for another model
# description: A waiver is for one model, or one version of it.
# custom:
#   rule: waivers.other_model
#   severity: low
#   message: "the waiver of {values[rule]} does not count: it is for {values[model]}"
#   remedy: remove it when that model is gone
#   reads: ["input.waivers[].model", input.model.name, input.model.version]
warning contains law.finding("waivers.other_model", item(one), "low", "", about(one, {})) if {
	some one in refused.other_model
}

# METADATA
# title: a waiver is not approved
# description: Somebody else than the owner approves a waiver, and one of those whom the law names, if it names any.
# custom:
#   rule: waivers.unapproved
#   severity: medium
#   message: "the waiver of {values[rule]} does not count: its owner is {values[owner]}, its approver {values[approver]}"
#   remedy: let somebody else approve it, one of the law's `approvers` if it names any
#   reads: ["input.waivers[].approver", "input.waivers[].owner", data.mlpolicy.law.waivers.approvers]
warning contains law.finding("waivers.unapproved", item(one), "medium", "", about(one, {})) if {
	some one in refused.unapproved
}

# METADATA
# title: a waiver is not in force
# description: A waiver holds from its creation to its expiry, and not for longer than the law allows.
# custom:
#   rule: waivers.not_in_force
#   severity: medium
#   message: "the waiver of {values[rule]} from {values[created]} to {values[expires]} does not count: {values[why]}"
#   remedy: put right what it waives, or have a new waiver approved
#   reads: ["input.waivers[].created", "input.waivers[].expires", input.created, data.mlpolicy.law.waivers.max_days]
warning contains law.finding("waivers.not_in_force", item(one), "medium", "", about(one, {"values": stated})) if {
	some one in refused.not_in_force
	stated := object.union(values(one), {"why": waiver.not_in_force(one)})
}

# METADATA
# title: a waiver covers no violation
# description: A waiver names the group or the thing that the violation names, or says `any`.
# custom:
#   rule: waivers.unused
#   severity: low
#   message: "the waiver of {values[rule]} covers no violation: {values[why]}"
#   remedy: remove it, or name the violation's rule, policy, slice and across
#   reads: ["input.waivers[].slice", "input.waivers[].across"]
warning contains law.finding("waivers.unused", item(one), "low", "", about(one, {"values": stated})) if {
	some index in valid
	count(covered[index]) == 0
	one := waiver.all[index]
	stated := object.union(values(one), {"why": unused(index)})
}

unused(index) := "the model does not violate it" if count(meant[index]) == 0

else := "the violation is about a slice that it does not name"

# METADATA
# title: a violation is over the ceiling of its waiver
# description: A number is waived up to a ceiling, which the waiver names.
# custom:
#   rule: waivers.over_ceiling
#   severity: medium
#   message: "the waiver of {values[rule]} does not count {slice}: measured {measured}, ceiling {limit}"
#   remedy: improve the model, or have a waiver with a ceiling approved
#   reads: ["input.waivers[].ceiling"]
warning contains law.finding("waivers.over_ceiling", item(one), "medium", "", rest) if {
	some index, found in covered
	some place in (found - object.get(borne, index, set()))
	finding := findings[place]
	is_measured(finding)
	one := waiver.all[index]
	number := object.filter(finding, ["measurement", "value", "interval", "n", "slice", "across"])
	rest := object.union(number, about(one, {"limit": object.get(one, "ceiling", null)}))
}

# METADATA
# title: "{values[rule]} cannot be waived"
# description: What was not measured, or not measured as the law asks, has no known size, and cannot be waived.
# custom:
#   rule: waivers.not_waivable
#   severity: medium
#   message: "the waiver of {values[rule]} does not count: nobody knows how bad it is"
#   remedy: measure what the law asks for
#   reads: ["input.waivers[].rule"]
warning contains law.finding("waivers.not_waivable", item(one), "medium", "", about(one, {})) if {
	some index, found in covered
	some place in found
	not is_fact(findings[place])
	not is_measured(findings[place])
	one := waiver.all[index]
}
