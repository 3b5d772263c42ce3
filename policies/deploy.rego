# METADATA
# title: May this model be deployed?
# description: >-
#   Collects what every family of rules found. Allowed means that there is a law, that each of its items was judged,
#   and that nothing was violated.
# entrypoint: true
package mlpolicy.deploy

default allow := false

allow if verdict == "allowed"

default verdict := "denied"

verdict := "not_evaluated" if count(error) > 0

verdict := "allowed" if {
	count(error) == 0
	count(violation) == 0
	is_array(data.mlpolicy.law.policies)
	required := {item.id | some item in data.mlpolicy.law.policies}
	count(required) > 0
	required == judged
}

violation contains finding if some finding in data.mlpolicy.integrity[_].violation

violation contains finding if {
	some finding in data.mlpolicy.rules[_].violation
	not data.mlpolicy.waivers.excused[finding]
}

warning contains finding if some finding in data.mlpolicy.rules[_].warning

warning contains finding if some finding in data.mlpolicy.waivers.warning

insufficient contains finding if some finding in data.mlpolicy.rules[_].insufficient

error contains finding if some finding in data.mlpolicy.integrity[_].error

judged contains id if some id in data.mlpolicy.rules[_].judged

waived contains finding if some finding in data.mlpolicy.waivers.waived

law := {"digest": stated("digest"), "project": stated("project")}

stated(key) := data.mlpolicy.law[key] if is_string(data.mlpolicy.law[key])

else := null
