# METADATA
# title: Privacy
# description: >-
#   The model does not read what identifies a person, nor the attributes that it must not depend on, nor what stands in
#   their place. Features are known by their names only.
# custom:
#   regulations:
#     - EU AI Act Art. 10
#     - ECOA / Regulation B
#     - GDPR Art. 25
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
#       personal_data:
#         type: array
#         minItems: 1
#         default: [first name, last name, full name, email, phone, street, passport, social security, national id, iban, birth date, date of birth]
#         description: Words in the name of a feature by which personal data is known, such as `birth date`, which finds `BirthDate` and `user_birth_date`.
#         items:
#           type: string
#           minLength: 1
#       proxies_declared:
#         type: boolean
#         default: false
#         description: Whether compliance.yaml must say which features stand in for a sensitive attribute, or that none does.
#       forbidden_proxies:
#         type: array
#         minItems: 1
#         description: Sensitive attributes that no feature may stand in for; asks for the declaration too.
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

default_personal := [
	"first name", "last name", "full name", "email", "phone", "street", "passport", "social security",
	"national id", "iban", "birth date", "date of birth",
]

wrong_keys(item) := union({
	law.wrong_keys(item, {"forbidden_features", "personal_data", "proxies_declared", "forbidden_proxies", "sensitive_as_feature"}),
	{"forbidden_features" | not law.is_texts(forbidden(item))},
	{"personal_data" | not law.is_texts(personal(item))},
	{"proxies_declared" | not is_boolean(object.get(item, "proxies_declared", false))},
	{"forbidden_proxies" | not law.is_texts(object.get(item, "forbidden_proxies", ["any"]))},
	{"sensitive_as_feature" | not law.optional_choice(item, "sensitive_as_feature", ["deny", "warn"])},
})

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("privacy")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("privacy"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

forbidden(item) := object.get(item, "forbidden_features", default_forbidden)

personal(item) := object.get(item, "personal_data", default_personal)

plain(name) := lower(trim_space(name))

features := {plain(name) | some name in names}

# The list that the article's policy reads and the one in the evidence are the same list.
names := {feature.name | some feature in input.model.training_features} if {
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
	not names
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

# `BirthDate`, `birth-date` and `user birth date` are words between underscores: `_birth_date_`.
words(text) := concat("", ["_", spaced, "_"]) if {
	spaced := concat("", [part | some character in split(text, ""); part := separated(character)])
}

separated(character) := "_" if character in {" ", "-", ".", "_"}

else := concat("", ["_", lower(character)]) if lower(character) != character

else := character

# As one writes it with capitals between its words, and as it is written in capitals or not at all.
spellings contains {"name": name, "words": spelling} if {
	some name in names
	some spelling in {replace(words(trim_space(name)), "__", "_"), words(plain(name))}
}

# METADATA
# title: "{values[feature]} looks like personal data"
# description: No feature has a name by which personal data is known.
# custom:
#   rule: privacy.personal_data
#   severity: high
#   message: "the model reads `{values[feature]}`, which by its name is personal data ({values[word]})"
#   remedy: "train without `{values[feature]}`, or rename it if it is something else"
#   reads: ["input.model.training_features[].name"]
violation contains law.finding("privacy.personal_data", item, "high", "personal_data", rest) if {
	some item in items
	some word in personal(item)
	looked_for := words(plain(word))
	some spelling in spellings
	contains(spelling.words, looked_for)
	rest := {"values": {"feature": spelling.name, "word": word}}
}

# A declaration says how many there are: what was taken out of it is noticed.
proxies := declaration.features if {
	evidence.usable("lineage", {"measured", "declared"})
	declaration := input.evidence.lineage.facts.proxies
	is_array(declaration.features)
	count(declaration.features) == declaration.count
	every proxy in declaration.features {
		law.is_text(proxy.feature)
		law.is_text(proxy.of)
		law.is_text(proxy.reason)
	}
}

asks_for_proxies(item) if item.proxies_declared

asks_for_proxies(item) if "forbidden_proxies" in object.keys(item)

# METADATA
# title: it is not declared which features are proxies
# description: It is declared which features stand in for a sensitive attribute, with the reason for their use.
# custom:
#   rule: privacy.proxies_undeclared
#   severity: high
#   message: nothing is declared about features that stand in for a sensitive attribute
#   remedy: "list them under `data: proxies:` in compliance.yaml, each with `feature`, `of` and `reason`, or write `proxies: []` if there is none"
#   reads: ["input.evidence.lineage.facts.proxies.features[]"]
violation contains law.finding("privacy.proxies_undeclared", item, "high", "id", {}) if {
	some item in items
	asks_for_proxies(item)
	not proxies
}

# METADATA
# title: "{values[feature]} stands in for {values[attribute]}"
# description: No feature stands in for an attribute of which the law forbids it.
# custom:
#   rule: privacy.forbidden_proxy
#   severity: high
#   message: "the model reads `{values[feature]}`, which is declared to stand in for `{values[attribute]}`"
#   remedy: "train without `{values[feature]}`"
#   reads: ["input.evidence.lineage.facts.proxies.features[]", "input.model.training_features[].name"]
violation contains law.finding("privacy.forbidden_proxy", item, "high", "forbidden_proxies", rest) if {
	some item in items
	some attribute in object.get(item, "forbidden_proxies", [])
	some proxy in proxies
	plain(proxy.of) == plain(attribute)
	plain(proxy.feature) in features
	rest := {"values": {"feature": proxy.feature, "attribute": attribute}}
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
