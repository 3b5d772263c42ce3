package mlpolicy_test.rules.image

import data.mlpolicy.rules.image
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "i", "type": "image"}, rest)

counted(severity, value) := fixtures.measured("image/vulnerabilities", value, {"slice": {"severity": severity}})

submission := fixtures.added("/evidence/image", fixtures.evidence(
	"image", "measured",
	{
		"digest": concat(":", ["sha256", fixtures.hash]),
		"incomplete": false,
		"database": {"age_days": 3},
		"vulnerabilities": [
			{"cve": "CVE-1", "package": "zlib", "severity": "high", "installed": "1.0", "fixed": "1.1"},
			{"cve": "CVE-1", "package": "zlib-dev", "severity": "high", "installed": "1.0", "fixed": ""},
		],
		"secrets": [],
		"licences": [
			{"name": "MIT", "packages": ["requests"]},
			{"name": "GPL-2.0-only OR Apache-2.0", "packages": ["zlib", "zlib-dev"]},
		],
	},
	[
		counted("critical", 0), counted("high", 2),
		fixtures.measured("image/secrets", 0, {}), fixtures.measured("image/licences", 2, {}),
	],
))

rules(document, rest) := fixtures.rules_of(violations) if {
	violations := image.violation with input as document
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

with_fact(path, value) := json.patch(submission, [{
	"op": "replace",
	"path": concat("/", ["/evidence/image/facts", path]),
	"value": value,
}])

few := {"maximum": {"critical": 0, "high": 2}}

test_few_vulnerabilities if rules(submission, few) == set()

test_many_vulnerabilities if rules(submission, {"maximum": {"high": 1}}) == {"image.vulnerable"}

test_each_vulnerability_where_none_is_allowed if {
	violations := image.violation with input as submission with data.mlpolicy.law as fixtures.law_of(item({}))
	{[one.rule, one.severity, one.slice, one.values] | some one in violations} == {[
		"image.vulnerability",
		"high",
		{"cve": "CVE-1"},
		{"severity": "high", "cve": "CVE-1", "packages": ["zlib 1.0, fixed in 1.1", "zlib-dev 1.0"]},
	]}
}

ungraded := json.patch(submission, [
	{"op": "replace", "path": "/evidence/image/measurements/1", "value": counted("unknown", 2)},
	{"op": "replace", "path": "/evidence/image/facts/vulnerabilities/0/severity", "value": "unknown"},
	{"op": "replace", "path": "/evidence/image/facts/vulnerabilities/1/severity", "value": "unknown"},
])

test_what_nobody_has_graded if {
	violations := image.violation with input as ungraded
		with data.mlpolicy.law as fixtures.law_of(item({"maximum": {"unknown": 0}}))
	{[one.rule, one.severity] | some one in violations} == {["image.vulnerability", "high"]}
}

test_old_database if {
	rules(submission, object.union(few, {"database_age_days": 2})) == {"image.old_database"}
	every wrong in [null, {}, {"age_days": null}, {"age_days": -1}] {
		rules(with_fact("database", wrong), few) == {"image.old_database"}
	}
}

reason(document) := finding.values.reason if {
	violations := image.violation with input as document with data.mlpolicy.law as fixtures.law_of(item(few))
	some finding in violations
	finding.rule == "image.not_scanned"
}

test_not_scanned if {
	reason(with_fact("incomplete", true)) == "a part of it could not be scanned"
	said := [{"op": "replace", "path": "/evidence/image/reason", "value": "its end of life"}]
	reason(json.patch(with_fact("incomplete", true), said)) == "its end of life"
	every wrong in [null, "latest", "sha256:1", fixtures.hash, true] {
		reason(with_fact("digest", wrong)) == "it does not say of which image, or whether it is complete"
	}
	reason(with_fact("incomplete", null)) == "it does not say of which image, or whether it is complete"
	reason(fixtures.submission) == "there is no evidence of this kind"
}

test_not_counted if {
	rules(submission, {"maximum": {"low": 0, "critical": 0, "high": 2}}) == {"image.not_counted"}
	negative := json.patch(submission, [{"op": "replace", "path": "/evidence/image/measurements/0/value", "value": -1}])
	rules(negative, few) == {"image.not_counted"}
	every path, wrong in {
		"vulnerabilities": null,
		"vulnerabilities/0": null,
		"vulnerabilities/0/cve": "",
		"vulnerabilities/0/package": null,
		"vulnerabilities/0/severity": "huge",
		"vulnerabilities/1/severity": "critical",
	} {
		rules(with_fact(path, wrong), few) == {"image.not_counted"}
	}
}

holding(secrets) := json.patch(with_fact("secrets", secrets), [{
	"op": "replace",
	"path": "/evidence/image/measurements/2/value",
	"value": count(secrets),
}])

leaked := holding([{"rule": "private-key", "file": "/app/key.pem"}])

test_secret if {
	rules(leaked, few) == {"image.secret"}
	warned := object.union(few, {"secrets": "warn"})
	rules(leaked, warned) == set()
	warnings := image.warning with input as leaked with data.mlpolicy.law as fixtures.law_of(item(warned))
	{one.values | some one in warnings} == {{"kind": "private-key", "file": "/app/key.pem"}}
}

test_secrets_not_counted if {
	every wrong in [null, {}, [{}], "none"] {
		rules(with_fact("secrets", wrong), few) == {"image.secrets_not_counted"}
	}
	every wrong in [[{"rule": "", "file": "a"}], [{"rule": "a", "file": null}], [1]] {
		rules(holding(wrong), few) == {"image.secrets_not_counted"}
	}
}

licensed(document, names) := {[one.rule, one.values.licence, one.slice] |
	some one in violations
	one.rule == "image.licence"
} if {
	violations := image.violation with input as document
		with data.mlpolicy.law as fixtures.law_of(item(object.union(few, {"licences": names})))
}

of_the_choice := "GPL-2.0-only OR Apache-2.0"

test_licences if {
	licensed(submission, ["MIT", "Apache-2.0"]) == set()
	licensed(submission, ["MIT", of_the_choice]) == set()
	licensed(submission, ["MIT", "BSD-3-Clause"]) == {["image.licence", of_the_choice, {"licence": of_the_choice}]}
	licensed(submission, ["Apache-2.0"]) == {["image.licence", "MIT", {"licence": "MIT"}]}
}

test_of_a_conjunction_all_are_needed if {
	both := with_fact("licences/0/name", "MIT AND ISC")
	licensed(both, ["MIT", "Apache-2.0"]) == {["image.licence", "MIT AND ISC", {"licence": "MIT AND ISC"}]}
	licensed(both, ["MIT", "ISC", "Apache-2.0"]) == set()
}

test_an_expression_of_both_is_named_in_full[mixed] if {
	some mixed in ["MIT OR ISC AND X11", "(MIT OR ISC)", "MIT AND (ISC OR X11)"]
	document := with_fact("licences/0/name", mixed)
	count(licensed(document, ["MIT", "ISC", "X11", "Apache-2.0"])) == 1
	licensed(document, [mixed, "Apache-2.0"]) == set()
}

test_licences_not_listed if {
	allowed := object.union(few, {"licences": ["MIT", "Apache-2.0"]})
	every path, wrong in {
		"licences": [],
		"licences/0": null,
		"licences/0/name": "",
		"licences/0/packages": [],
	} {
		rules(with_fact(path, wrong), allowed) == {"image.licences_not_listed"}
		rules(with_fact(path, wrong), few) == set()
	}
	rules(with_fact("licences", [{"name": "MIT", "packages": ["a"]}]), allowed) == {"image.licences_not_listed"}
}

test_malformed[key] if {
	some key, wrong in {
		"maximum": {"huge": 1},
		"secrets": "allow",
		"licences": [],
		"database_age_days": "7",
		"digest": "sha256:0",
	}
	law := fixtures.law_of(item({key: wrong}))
	image.malformed == {{"policy": "i", "key": key}} with data.mlpolicy.law as law
	image.judged == set() with data.mlpolicy.law as law
}

test_judged if image.judged == {"i"} with data.mlpolicy.law as fixtures.law_of(item({}))
