# METADATA
# title: Registry
# description: The model is registered and its data is described.
# custom:
#   regulations:
#     - EU AI Act Art. 12
#     - EU AI Act Art. 13
#     - EU AI Act Art. 11
#   parameters:
#     type: object
#     properties:
#       registered:
#         type: boolean
#         default: true
#         description: Whether the model must be in the model registry.
#       data_card:
#         type: boolean
#         default: true
#         description: Whether there must be a data card.
package mlpolicy.rules.registry

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

wrong_keys(item) := union({
	law.wrong_keys(item, {"registered", "data_card"}),
	{key | some key in {"registered", "data_card"}; not is_boolean(object.get(item, key, true))},
})

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("registry")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("registry"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

facts := input.evidence.lineage.facts if evidence.usable("lineage", {"measured", "declared"})

# METADATA
# title: the model is not registered
# description: The model that is judged is a version in the model registry.
# custom:
#   rule: registry.not_registered
#   severity: high
#   message: the model is not a version in the model registry
#   remedy: "register it: mlflow.register_model(\"runs:/…/model\", \"{values[model]}\")"
#   reads: [input.model.artifact_registered, input.evidence.lineage.facts.model.registered]
violation contains law.finding("registry.not_registered", item, "high", "registered", {"values": {"model": model}}) if {
	some item in items
	object.get(item, "registered", true)
	not registered
}

registered if {
	input.model.artifact_registered == true
	facts.model.registered == true
}

model := input.model.name if law.is_text(input.model.name)

else := "name"

# METADATA
# title: there is no data card
# description: A data card describes the data that the model was trained on.
# custom:
#   rule: registry.no_data_card
#   severity: medium
#   message: no data card with a sha256 is in the evidence
#   remedy: "describe the data in data_card.md and name that file in compliance.yaml: `model: data_card: data_card.md`"
#   reads: [input.model.data_card_generated, input.evidence.lineage.facts.data_card.sha256]
violation contains law.finding("registry.no_data_card", item, "medium", "data_card", {}) if {
	some item in items
	object.get(item, "data_card", true)
	not has_data_card
}

has_data_card if {
	input.model.data_card_generated == true
	evidence.is_sha256(facts.data_card.sha256)
}
