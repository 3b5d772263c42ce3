# METADATA
# title: The law
# description: A law that is absent, malformed or not applied in full allows nothing.
package mlpolicy.integrity.law

import data.mlpolicy.lib.law
import data.mlpolicy.lib.waiver

rule(name, policy, key, values) := {
	"rule": concat(".", ["law", name]),
	"policy": policy,
	"severity": "critical",
	"key": key,
	"values": values,
}

# METADATA
# title: there is no law to judge by
# description: A model is judged by a written law with at least one policy.
# custom:
#   rule: law.missing
#   severity: critical
#   message: the policy engine holds no law, or a law without policies
#   remedy: write at least one item under `policies:` in compliance_policy.yaml
#   reads: [data.mlpolicy.law.policies]
violation contains rule("missing", "", "policies", {}) if not has_policies

has_policies if {
	is_array(data.mlpolicy.law.policies)
	count(data.mlpolicy.law.policies) > 0
}

# METADATA
# title: the law cannot be applied as it is written
# description: Each item of the law has an id and a type, and parameters of the kind that its type asks for.
# custom:
#   rule: law.malformed
#   severity: critical
#   message: "{values[where]} has a wrong or missing `{values[key]}`"
#   remedy: "put `{values[key]}` right in compliance_policy.yaml; `ml-compliance schema policy` prints what is valid"
#   reads: [data.mlpolicy.law]
violation contains rule("malformed", "", key, {"where": "an item of `policies:`", "key": key}) if {
	has_policies
	some item in data.mlpolicy.law.policies
	some key in ["id", "type"]
	not law.has_text(item, key)
}

violation contains rule("malformed", wrong.policy, wrong.key, {"where": wrong.policy, "key": wrong.key}) if {
	some wrong in data.mlpolicy.rules[_].malformed
}

violation contains rule("malformed", "", "minimum", {"where": "the law", "key": "minimum"}) if {
	is_object(data.mlpolicy.law)
	"minimum" in object.keys(data.mlpolicy.law)
	not valid_minimum
}

violation contains rule("malformed", "", "waivers", {"where": "the law", "key": "waivers"}) if {
	is_object(data.mlpolicy.law)
	"waivers" in object.keys(data.mlpolicy.law)
	not waiver.terms
}

valid_minimum if {
	is_object(data.mlpolicy.law.minimum)
	every key, least in data.mlpolicy.law.minimum {
		key in object.keys(law.default_minimum)
		is_number(least)
		least >= 0
	}
}

# METADATA
# title: two policies have the same id
# description: A violation names the item of the law by its id, so an id is used once.
# custom:
#   rule: law.duplicate_id
#   severity: critical
#   message: "`{values[id]}` is the id of {values[count]} items of the law"
#   remedy: give each item under `policies:` an id of its own
#   reads: ["data.mlpolicy.law.policies[].id"]
violation contains rule("duplicate_id", id, "id", {"id": id, "count": count(same)}) if {
	has_policies
	some id in {item.id | some item in data.mlpolicy.law.policies}
	same := [1 | some item in data.mlpolicy.law.policies; item.id == id]
	count(same) > 1
}

# METADATA
# title: an item of the law was not judged
# description: Every item of the law is judged by the family of rules that its type names.
# custom:
#   rule: law.not_judged
#   severity: critical
#   message: "no rules were applied to {values[id]}: its type is {values[type]}"
#   remedy: use one of the types that the policy knows, or add policies/rules/{values[type]}.rego
#   reads: ["data.mlpolicy.law.policies[].type"]
violation contains rule("not_judged", item.id, "type", {"id": item.id, "type": item.type}) if {
	has_policies
	some item in data.mlpolicy.law.policies
	law.is_text(item.id)
	law.is_text(item.type)
	not item.id in judged
}

judged contains id if some id in data.mlpolicy.rules[_].judged

judged contains wrong.policy if some wrong in data.mlpolicy.rules[_].malformed
