package mlpolicy_test.article

import data.mlpolicy.deploy

fair := {"model": {
	"artifact_registered": true,
	"data_card_generated": true,
	"training_features": [{"name": "income"}],
	"validation_report": {"metrics": {"demographic_parity_difference": 0.09, "equalized_odds_difference": 0.04}},
}}

denied(path, value) if {
	not deploy.allow with input as json.patch(fair, [{
		"op": "replace",
		"path": concat("/", ["/model", path]),
		"value": value,
	}])
}

test_fair if deploy.allow with input as fair

test_nothing if not deploy.allow with input as {}

test_flags if {
	every value in [false, null, "yes", 1] {
		denied("artifact_registered", value)
		denied("data_card_generated", value)
	}
}

test_features if {
	every value in [null, [], [{}], "income", [{"name": null}], [{"name": " SSN"}], {}] {
		denied("training_features", value)
	}
}

test_metrics if {
	every value in [null, 0.1, -1, "0", true, []] {
		denied("validation_report/metrics/demographic_parity_difference", value)
		denied("validation_report/metrics/equalized_odds_difference", value)
	}
}
