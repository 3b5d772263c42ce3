package mlpolicy_test.rules.image

import data.mlpolicy.rules.image
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "i", "type": "image"}, rest)

counted(severity, value) := fixtures.measured("image/vulnerabilities", value, {"slice": {"severity": severity}})

submission := fixtures.added("/evidence/image", fixtures.evidence(
	"image", "measured",
	{"digest": concat(":", ["sha256", fixtures.hash]), "incomplete": false, "database": {"age_days": 3}},
	[counted("critical", 0), counted("high", 2)],
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

test_many_vulnerabilities if rules(submission, {}) == {"image.vulnerable"}

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
}

test_malformed[key] if {
	some key, wrong in {"maximum": {"huge": 1}, "database_age_days": "7", "digest": "sha256:0"}
	law := fixtures.law_of(item({key: wrong}))
	image.malformed == {{"policy": "i", "key": key}} with data.mlpolicy.law as law
	image.judged == set() with data.mlpolicy.law as law
}

test_judged if image.judged == {"i"} with data.mlpolicy.law as fixtures.law_of(item({}))
