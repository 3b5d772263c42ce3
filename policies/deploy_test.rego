package mlpolicy_test.deploy

import data.mlpolicy.deploy
import data.mlpolicy_test.fixtures

judge(submission, law) := violations if {
	violations := data.mlpolicy.deploy with input as submission with data.mlpolicy.law as law
}

test_allows_what_satisfies_the_law if {
	answer := judge(fixtures.submission, fixtures.law)
	answer.allow
	answer.verdict == "allowed"
	answer.judged == {"r"}
	answer.waived == set()
	answer.law == {"digest": "sha256:0", "project": "p"}
}

test_denies_without_a_law if {
	answer := data.mlpolicy.deploy with input as fixtures.submission
	not answer.allow
	answer.verdict == "denied"
	answer.law == {"digest": null, "project": null}
	fixtures.rules_of(answer.violation) == {"law.missing"}
}

test_denies_without_an_input if {
	not deploy.allow with data.mlpolicy.law as fixtures.law
}

test_a_failed_measurement_is_no_verdict if {
	failed := fixtures.replaced("/evidence/data/status", "error")
	answer := judge(failed, fixtures.law)
	not answer.allow
	answer.verdict == "not_evaluated"
	{error.values.reason | some error in answer.error} == {"it does not say why"}
}

test_a_failed_measurement_says_why if {
	failed := json.patch(fixtures.submission, [
		{"op": "replace", "path": "/evidence/data/status", "value": "error"},
		{"op": "replace", "path": "/evidence/data/reason", "value": "no table"},
	])
	{error.values.reason | some error in judge(failed, fixtures.law).error} == {"no table"}
	fixtures.rules_of(judge(failed, fixtures.law).error) == {"submission.error"}
	judge(fixtures.submission, fixtures.law).error == set()
}

test_passes_warnings_and_lacks_on if {
	law := fixtures.law_of({"id": "e", "type": "explainability", "requirement": "optional"})
	answer := judge(fixtures.replaced("/evidence/explainability/status", "missing"), law)
	answer.allow
	fixtures.rules_of(answer.warning) == {"explainability.not_explained"}
	fair := {
		"id": "f", "type": "fairness", "metric": "demographic_parity_ratio", "threshold": 0.7,
		"sensitive_attributes": ["race"],
	}
	lacking := judge(fixtures.submission, fixtures.law_of(fair))
	lacking.allow
	fixtures.rules_of(lacking.insufficient) == {"fairness.groups_not_compared"}
}
