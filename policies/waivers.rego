# METADATA
# title: Waivers
# description: >-
#   A waiver sets one violation aside for a time, up to a ceiling. What is waived stays visible; a waiver that does not
#   count is shown with the reason. Nothing that is wrong with the submission or the law can be waived.
package mlpolicy.waivers

import data.mlpolicy.lib.law
import data.mlpolicy.lib.waiver

# The last part of the names of rules that hold a number against a limit, by what is worse.
higher_is_worse := {"limit_exceeded", "too_high", "failed_expectations"}

lower_is_worse := {"too_low", "ratio_too_low"}

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

# What valid waivers are about, by the waiver.
meant[index] contains finding if {
	some index in valid
	some finding in data.mlpolicy.rules[_].violation
	finding.rule == waiver.all[index].rule
	finding.policy == waiver.all[index].policy
}

covered[index] contains finding if {
	some index, findings in meant
	some finding in findings
	fits(waiver.all[index].slice, part(finding))
	fits(waiver.all[index].across, across(finding))
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
part(finding) := object.union(
	object.filter(object.get(finding, "values", {}), ["feature", "artifact", "column", "cve", "global", "check"]),
	object.get(finding, "slice", {}),
)

across(finding) := object.get(finding, "across", [])

waived_by[finding] contains index if {
	some index, findings in covered
	some finding in findings
	bearable(finding, waiver.all[index])
}

excused contains finding if some finding, _ in waived_by

waived contains object.union(finding, {"waiver": waiver.all[min(indices)]}) if some finding, indices in waived_by

bearable(finding, _) if is_fact(finding)

bearable(finding, one) if {
	is_number(one.ceiling)
	worse(finding) == "higher"
	held(finding, 1) <= one.ceiling
}

bearable(finding, one) if {
	is_number(one.ceiling)
	worse(finding) == "lower"
	held(finding, 0) >= one.ceiling
}

# Not a number that was measured, nor the lack of one.
is_fact(finding) if not "measurement" in object.keys(finding)

is_fact(finding) if finding.rule in without_number

worse(finding) := "higher" if {
	is_number(finding.limit)
	split(finding.rule, ".")[1] in higher_is_worse
}

worse(finding) := "lower" if {
	is_number(finding.limit)
	split(finding.rule, ".")[1] in lower_is_worse
}

worse(finding) := {"at least": "lower", "at most": "higher"}[finding.values.least] if is_number(finding.limit)

# The number that is held against the ceiling, which is the one that the law decides on. Undefined where there is none.
held(finding, end) := finding.interval[end] if {
	decides_on_bound(finding)
	is_number(finding.interval[end])
}

held(finding, _) := finding.value if {
	not decides_on_bound(finding)
	is_number(finding.value)
}

decides_on_bound(finding) if {
	some item in data.mlpolicy.law.policies
	item.id == finding.policy
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
	count(object.get(covered, index, set())) == 0
	one := waiver.all[index]
	stated := object.union(values(one), {"why": unused(index)})
}

unused(index) := "the model does not violate it" if not meant[index]

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
	some index, findings in covered
	some finding in findings
	worse(finding)
	one := waiver.all[index]
	not bearable(finding, one)
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
	some index, findings in covered
	some finding in findings
	not is_fact(finding)
	not worse(finding)
	one := waiver.all[index]
}
