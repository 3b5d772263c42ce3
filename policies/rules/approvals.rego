# METADATA
# title: Approvals
# description: >-
#   Enough people who may approve have approved this very model, none of them trained it, and no approval has run out.
#   An approval is a statement in a file; who may change that file is the repository's to control.
# custom:
#   regulations:
#     - EU AI Act Art. 9
#     - EU AI Act Art. 14
#     - NIST AI RMF Govern 2.1
#     - ISO/IEC 42001 A.3.2
#   parameters:
#     type: object
#     properties:
#       required:
#         type: integer
#         minimum: 1
#         default: 2
#         description: How many people must approve.
#       roles:
#         type: array
#         minItems: 1
#         description: The roles that must each approve.
#         items:
#           type: string
#           minLength: 1
#       approvers:
#         type: array
#         minItems: 1
#         description: Who may approve; anybody when nothing is said.
#         items:
#           type: string
#           minLength: 1
#       trainer_may_approve:
#         type: boolean
#         default: false
#         description: Whether who trained the model counts among those who approve it.
package mlpolicy.rules.approvals

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

wrong_keys(item) := union({
	law.wrong_keys(item, {"required", "roles", "approvers", "trainer_may_approve"}),
	{"required" | not valid_number(required(item))},
	{"roles" | not law.is_texts(object.get(item, "roles", ["any"]))},
	{"approvers" | not law.is_texts(object.get(item, "approvers", ["any"]))},
	{"trainer_may_approve" | not is_boolean(object.get(item, "trainer_may_approve", false))},
})

valid_number(value) if {
	is_number(value)
	value >= 1
}

required(item) := object.get(item, "required", 2)

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("approvals")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("approvals"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

facts := input.evidence.approvals.facts if evidence.usable("approvals", {"declared"})

# METADATA
# title: there are no approvals
# description: A file of approvals is part of the evidence.
# custom:
#   rule: approvals.missing
#   severity: critical
#   message: "there is no list of approvals: {values[reason]}"
#   remedy: "write who approved into approvals.yaml and name it in compliance.yaml: `approvals: approvals.yaml`"
#   reads: ["input.evidence.approvals.facts.approvals[]"]
violation contains law.finding("approvals.missing", item, "critical", "id", {"values": {"reason": reason}}) if {
	some item in items
	not listed
}

listed if is_array(facts.approvals)

reason := evidence.reason("approvals", []) if not evidence.usable("approvals", {"declared"})

else := "the evidence has none"

# One person, whether written as user name or as e-mail address, in whatever case.
person(text) := split(lower(trim_space(text)), "@")[0]

trainers := {person(trainer.name) | some trainer in facts.trainers} if {
	is_array(facts.trainers)
	count(facts.trainers) > 0

	# One who was taken out could approve.
	count(facts.trainers) == facts.trainer_count
	every trainer in facts.trainers {
		law.is_text(trainer.name)
	}
}

# METADATA
# title: it is not known who trained the model
# description: Who trained the model is known, so that it can be seen whether somebody else approved it.
# custom:
#   rule: approvals.trainer_unknown
#   severity: high
#   message: neither the model's MLflow run nor git says who trained it
#   remedy: "log the training run with the tag mlflow.user, or run the gate in the git repository of the training code"
#   reads: ["input.evidence.approvals.facts.trainers[].name", input.evidence.approvals.facts.trainer_count]
violation contains law.finding("approvals.trainer_unknown", item, "high", "trainer_may_approve", {}) if {
	some item in items
	listed
	not object.get(item, "trainer_may_approve", false)
	not trainers
}

# Times are RFC 3339 in UTC to the second, so that their order is that of the text.
is_time(text) if {
	is_string(text)
	count(text) == 20
	endswith(text, "Z")
}

readable(approval) if {
	law.is_text(approval.approver)
	law.is_text(approval.role)
	law.is_text(approval.model)
	is_time(approval.time)
	is_time(approval.expires)
	is_time(input.created)
}

same_model(approval) if {
	approval.model == facts.model.name
	count(object.keys(approval) & {"version", "digest"}) == 1
	every key in object.keys(approval) & {"version", "digest"} {
		law.is_text(approval[key])
		approval[key] == facts.model[key]
	}
}

permitted(item, _) if not "approvers" in object.keys(item)

permitted(item, approval) if {
	plain := lower(trim_space(approval.approver))
	plain in {lower(trim_space(name)) | some name in item.approvers}
}

apart(item, _) if item.trainer_may_approve

apart(_, approval) if not is_trainer(approval)

is_trainer(approval) if person(approval.approver) in trainers

# Why an approval does not count.
fault(item, approval) := "it is incomplete" if not readable(approval)

else := "it is for another model or version" if not same_model(approval)

else := "it is not yet given" if approval.time > input.created

else := "it has expired" if approval.expires <= input.created

else := "this person may not approve" if not permitted(item, approval)

else := "this person trained the model" if not apart(item, approval)

counted contains {"item": item, "person": person(approval.approver), "role": lower(trim_space(approval.role))} if {
	some item in items
	some approval in facts.approvals
	not fault(item, approval)
}

# METADATA
# title: too few people have approved
# description: As many people as the law states have approved, each counted once.
# custom:
#   rule: approvals.too_few
#   severity: critical
#   message: "{values[people]} of {limit} required people have approved this version of the model"
#   remedy: "let others who may approve add themselves to the file of approvals, for this version"
#   reads: ["input.evidence.approvals.facts.approvals[]", input.evidence.approvals.facts.model, input.created]
violation contains law.finding("approvals.too_few", item, "critical", "required", rest) if {
	some item in items
	listed
	people := {found.person | some found in counted; found.item == item}
	count(people) < required(item)
	rest := {"limit": required(item), "values": {"people": count(people)}}
}

# METADATA
# title: "nobody has approved as {values[role]}"
# description: Each role that the law names has approved.
# custom:
#   rule: approvals.role_missing
#   severity: high
#   message: "nobody has approved this version of the model as {values[role]}"
#   remedy: "let somebody in the role {values[role]} add an approval"
#   reads: ["input.evidence.approvals.facts.approvals[].role"]
violation contains law.finding("approvals.role_missing", item, "high", "roles", {"values": {"role": role}}) if {
	some item in items
	listed
	some role in object.get(item, "roles", [])
	has := {found.role | some found in counted; found.item == item}
	not lower(trim_space(role)) in has
}

# METADATA
# title: an approval does not count
# description: An approval that does not count is shown, with the reason.
# custom:
#   rule: approvals.ignored
#   severity: low
#   message: "the approval of {values[approver]} does not count: {values[reason]}"
#   remedy: take it out of the file of approvals, or put it right
#   reads: ["input.evidence.approvals.facts.approvals[]"]
warning contains law.finding("approvals.ignored", item, "low", "id", {"values": values}) if {
	some item in items
	some approval in facts.approvals
	values := {"approver": shown(approval), "reason": fault(item, approval)}
}

shown(approval) := approval.approver if law.is_text(approval.approver)

else := "somebody"
