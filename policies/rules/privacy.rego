# METADATA
# title: Privacy
# description: The model does not read what identifies a person, nor the attributes that it must not depend on.
# custom:
#   regulations:
#     - EU AI Act Art. 10
#     - ECOA / Regulation B
#   parameters:
#     type: object
#     properties:
#       forbidden_features:
#         type: array
#         minItems: 1
#         default: [ssn, credit_card_number, biometric_data]
#         description: Names of features that a model must not read; letter case does not matter.
#         items:
#           type: string
#           minLength: 1
#       sensitive_as_feature:
#         enum: [deny, warn]
#         default: deny
#         description: What it is that a sensitive attribute is a feature.
package mlpolicy.rules.privacy

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

default_forbidden := ["ssn", "credit_card_number", "biometric_data"]

wrong_keys(item) := union({
	law.wrong_keys(item, {"forbidden_features", "sensitive_as_feature"}),
	{"forbidden_features" | not law.is_texts(forbidden(item))},
	{"sensitive_as_feature" | not law.optional_choice(item, "sensitive_as_feature", ["deny", "warn"])},
})

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("privacy")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("privacy"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

forbidden(item) := object.get(item, "forbidden_features", default_forbidden)

plain(name) := lower(trim_space(name))

# The list that the article's policy reads and the one in the evidence are the same list.
features := {plain(feature.name) | some feature in input.model.training_features} if {
	evidence.usable("lineage", {"measured", "declared"})
	evidence.is_features(input.model.training_features)
	input.model.training_features == input.evidence.lineage.facts.training_features
}

# METADATA
# title: it is not known what the model reads
# description: The names of all features of the model are known.
# custom:
#   rule: privacy.features_unknown
#   severity: high
#   message: the evidence does not list the model's features, each with its name
#   remedy: "log the model with a signature: mlflow.sklearn.log_model(…, signature=infer_signature(X, y)), or list `model: features:`"
#   reads: ["input.model.training_features[].name", "input.evidence.lineage.facts.training_features[].name"]
violation contains law.finding("privacy.features_unknown", item, "high", "id", {}) if {
	some item in items
	not features
}

# METADATA
# title: "{values[feature]} must not be a feature"
# description: No feature is one of those that the law forbids.
# custom:
#   rule: privacy.forbidden_feature
#   severity: critical
#   message: "the model reads `{values[feature]}`, which the law forbids"
#   remedy: "train without `{values[feature]}`"
#   reads: ["input.model.training_features[].name"]
violation contains law.finding("privacy.forbidden_feature", item, "critical", "forbidden_features", rest) if {
	some item in items
	some name in forbidden(item)
	plain(name) in features
	rest := {"values": {"feature": name}}
}

sensitive := {plain(name) | some name in input.evidence.fairness.facts.sensitive} if {
	law.is_texts(input.evidence.fairness.facts.sensitive)
}

violation contains lack.finding if {
	some lack in lacks
	object.get(lack.item, "sensitive_as_feature", "deny") == "deny"
}

warning contains lack.finding if {
	some lack in lacks
	lack.item.sensitive_as_feature == "warn"
}

# METADATA
# title: it is not known which attributes are sensitive
# description: The evidence says which attributes are sensitive, so that it can be seen whether the model reads one.
# custom:
#   rule: privacy.sensitive_unknown
#   severity: high
#   message: the evidence does not say which attributes are sensitive
#   remedy: "list them under `data: sensitive:` in compliance.yaml and run `ml-compliance measure fairness`"
#   reads: [input.evidence.fairness.facts.sensitive]
lacks contains {"item": item, "finding": finding} if {
	some item in items
	not sensitive
	finding := law.finding("privacy.sensitive_unknown", item, "high", "sensitive_as_feature", {})
}

# METADATA
# title: "{values[feature]} is sensitive and a feature"
# description: No sensitive attribute is a feature.
# custom:
#   rule: privacy.sensitive_feature
#   severity: high
#   message: "the model reads the sensitive attribute `{values[feature]}`"
#   remedy: "train without `{values[feature]}`"
#   reads: ["input.model.training_features[].name", input.evidence.fairness.facts.sensitive]
lacks contains {"item": item, "finding": finding} if {
	some item in items
	some name in (sensitive & features)
	finding := law.finding("privacy.sensitive_feature", item, "high", "sensitive_as_feature", {"values": {"feature": name}})
}
