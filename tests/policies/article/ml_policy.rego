package mlpolicy.deploy

# Default deny
default allow = false

# Allow deployment only if all conditions are met
allow if {
    input.model.artifact_registered
    input.model.data_card_generated
    not contains_sensitive_pii(input.model.training_features)
    fairness_check_passed(input.model.validation_report)
}

# Helper rule: Check for PII in feature list
contains_sensitive_pii(features) if {
    sensitive_pii := {"ssn", "credit_card_number", "biometric_data"}
    features[_].name == sensitive_pii[_]
}

# Helper rule: Validate fairness report
fairness_check_passed(report) if {
    report.metrics.demographic_parity_difference < 0.1
    report.metrics.equalized_odds_difference < 0.05
}
