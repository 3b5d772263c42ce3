package mlpolicy_test.rules.explainability

import data.mlpolicy.rules.explainability
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "e", "type": "explainability"}, rest)

rules(submission, rest) := fixtures.rules_of(violations) if {
	violations := explainability.violation with input as submission
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

test_letter_case_does_not_matter if {
	rules(fixtures.submission, {"technique": "shap", "report_format": "HTML", "requirement": "mandatory"}) == set()
}

test_other_technique if rules(fixtures.submission, {"technique": "LIME"}) == {"explainability.other_technique"}

test_report if {
	rules(fixtures.submission, {"report_format": "pdf"}) == {"explainability.no_report"}
	short := fixtures.replaced("/evidence/explainability/facts/report/sha256", "abc")
	rules(short, {"report_format": "html"}) == {"explainability.no_report"}
	missing := fixtures.replaced("/evidence/explainability/facts", null)
	rules(missing, {"report_format": "html", "technique": "SHAP"}) == {
		"explainability.no_report", "explainability.other_technique",
	}
}

test_not_explained if {
	rules(fixtures.removed("/evidence/explainability/measurements/0"), {}) == {"explainability.not_explained"}
	rules(fixtures.replaced("/evidence/explainability/status", "declared"), {}) == set()
}

test_optional if {
	law := fixtures.law_of(item({"requirement": "optional", "technique": "LIME"}))
	warnings := explainability.warning with input as fixtures.submission with data.mlpolicy.law as law
	fixtures.rules_of(warnings) == {"explainability.other_technique"}
	rules(fixtures.submission, {"requirement": "optional", "technique": "LIME"}) == set()
}

test_malformed[key] if {
	some key, wrong in {"requirement": "perhaps", "technique": 1, "report_format": "", "tehcnique": "SHAP"}
	law := fixtures.law_of(item({key: wrong}))
	explainability.malformed == {{"policy": "e", "key": key}} with data.mlpolicy.law as law
	explainability.judged == set() with data.mlpolicy.law as law
}
