package mlpolicy_test.rules.privacy

import data.mlpolicy.rules.privacy
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "v", "type": "privacy"}, rest)

rules(submission, rest) := fixtures.rules_of(violations) if {
	violations := privacy.violation with input as submission
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

reading(features) := json.patch(fixtures.submission, [
	{"op": "replace", "path": "/model/training_features", "value": features},
	{"op": "replace", "path": "/evidence/lineage/facts/training_features", "value": features},
])

test_harmless if rules(fixtures.submission, {}) == set()

test_forbidden if {
	rules(reading([{"name": " SSN "}]), {}) == {"privacy.forbidden_feature"}
	rules(reading([{"name": "ssn"}]), {"forbidden_features": ["zip"]}) == set()
	rules(reading([{"name": "zip"}]), {"forbidden_features": ["ZIP"]}) == {"privacy.forbidden_feature"}
}

test_unknown_features if {
	every features in [null, [], [{}], "income", [{"name": ""}], [{"name": null}], {}] {
		rules(reading(features), {}) == {"privacy.features_unknown"}
	}
	rules(fixtures.replaced("/model/training_features", [{"name": "income"}]), {}) == {"privacy.features_unknown"}
}

test_sensitive if {
	rules(reading([{"name": "Race"}]), {}) == {"privacy.sensitive_feature"}
	every sensitive in [null, [], "race", [1]] {
		rules(fixtures.replaced("/evidence/fairness/facts/sensitive", sensitive), {}) == {"privacy.sensitive_unknown"}
	}
}

test_sensitive_as_a_warning if {
	law := fixtures.law_of(item({"sensitive_as_feature": "warn"}))
	rules(reading([{"name": "race"}]), {"sensitive_as_feature": "warn"}) == set()
	warnings := privacy.warning with input as reading([{"name": "race"}]) with data.mlpolicy.law as law
	fixtures.rules_of(warnings) == {"privacy.sensitive_feature"}
}

test_personal_data if {
	every name in ["email", "Email", "EMAIL", "userEmail", "date_of_birth", "DateOfBirth", " Birth-Date", "IBAN code"] {
		rules(reading([{"name": name}]), {}) == {"privacy.personal_data"}
	}
	every name in ["emails_sent", "telephoned", "birth_rate", "streetcar", "debt"] {
		rules(reading([{"name": name}]), {}) == set()
	}
	rules(reading([{"name": "customer_number"}]), {"personal_data": ["Customer Number"]}) == {"privacy.personal_data"}
	rules(reading([{"name": "email"}]), {"personal_data": ["iban"]}) == set()
}

declaring(proxies) := fixtures.added(
	"/evidence/lineage/facts/proxies",
	{"count": number_of(proxies), "features": proxies},
)

number_of(proxies) := count(proxies) if is_array(proxies)

else := 0

debt := {"feature": "Debt", "of": "Race", "reason": "credit risk"}

test_proxies if {
	rules(declaring([debt]), {"proxies_declared": true}) == set()
	rules(declaring([]), {"proxies_declared": true, "forbidden_proxies": ["race"]}) == set()
	rules(declaring([debt]), {"forbidden_proxies": ["sex"]}) == set()
	rules(declaring([debt]), {"forbidden_proxies": ["race"]}) == {"privacy.forbidden_proxy"}
	rules(declaring([object.union(debt, {"feature": "zip"})]), {"forbidden_proxies": ["race"]}) == set()
	rules(fixtures.submission, {"proxies_declared": false}) == set()
	rules(fixtures.submission, {"proxies_declared": true}) == {"privacy.proxies_undeclared"}
	rules(fixtures.submission, {"forbidden_proxies": ["race"]}) == {"privacy.proxies_undeclared"}
	every wrong in [null, {}, [], {"count": 1, "features": []}, {"features": []}] {
		undeclared := fixtures.added("/evidence/lineage/facts/proxies", wrong)
		rules(undeclared, {"proxies_declared": true}) == {"privacy.proxies_undeclared"}
	}
	every wrong in [null, {}, "none", [{}], [object.union(debt, {"reason": ""})], [object.union(debt, {"of": null})]] {
		rules(declaring(wrong), {"proxies_declared": true}) == {"privacy.proxies_undeclared"}
	}
}

test_malformed[key] if {
	some key, wrong in {
		"personal_data": [""], "proxies_declared": 1, "forbidden_proxies": [], "forbidden_features": [], "sensitive_as_feature": "allow", "forbidden": ["a"],
	}
	law := fixtures.law_of(item({key: wrong}))
	privacy.malformed == {{"policy": "v", "key": key}} with data.mlpolicy.law as law
	privacy.judged == set() with data.mlpolicy.law as law
}

test_judged if privacy.judged == {"v"} with data.mlpolicy.law as fixtures.law_of(item({}))
