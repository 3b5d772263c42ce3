# METADATA
# title: A small policy that fails closed
# description: >-
#   Four conditions on a submission, each of which asks first whether what it reads is there and of the right kind: in
#   Rego null is less than 0.1, and nothing in an empty list is personal data. Judge by it with `rego: examples/article`
#   in compliance.yaml, or on a server: POST /v1/data/mlpolicy/deploy/allow.
package mlpolicy.deploy

default allow := false

allow if count(violation) == 0

violation contains "the model is not registered" if not input.model.artifact_registered == true

violation contains "there is no data card" if not input.model.data_card_generated == true

violation contains "the features of the model are not known" if not features_known

features_known if {
	is_array(input.model.training_features)
	count(input.model.training_features) > 0
	every feature in input.model.training_features {
		is_string(feature.name)
		trim_space(feature.name) != ""
	}
}

personal_data := {"ssn", "credit_card_number", "biometric_data"}

violation contains {"msg": concat(" ", ["the model reads", name]), "severity": "critical"} if {
	some feature in input.model.training_features
	name := lower(trim_space(feature.name))
	name in personal_data
}

# Each metric stays below its limit.
limits := {"demographic_parity_difference": 0.1, "equalized_odds_difference": 0.05}

violation contains concat(" ", [metric, "is not below its limit, or was not measured"]) if {
	some metric, _ in limits
	not is_below(metric)
}

is_below(metric) if {
	value := input.model.validation_report.metrics[metric]
	is_number(value)
	value >= 0
	value < limits[metric]
}
