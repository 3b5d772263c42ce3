package mlpolicy_test.rules.model_dependencies

import data.mlpolicy.rules.model_dependencies
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "n", "type": "model_dependencies"}, rest)

of(severity, value) := fixtures.measured("model_dependencies/vulnerabilities", value, {"slice": {"severity": severity}})

requests := {"package": "requests", "version": "2.19.1", "file": "requirements.txt"}

cve := {"cve": "CVE-2018-18074", "package": "requests", "severity": "high", "installed": "2.19.1", "fixed": "2.20.0"}

about(unpinned) := fixtures.added("/evidence/model_dependencies", fixtures.evidence(
	"model_dependencies", "measured",
	{
		"files": ["requirements.txt"],
		"packages": [requests],
		"unpinned": unpinned,
		"database": {"age_days": 3},
		"vulnerabilities": [cve],
	},
	[
		of("critical", 0), of("high", 1), fixtures.measured("model_dependencies/packages", 1, {}),
		fixtures.measured("model_dependencies/unpinned", count(unpinned), {}),
	],
))

good := about([])

found(document, rest) := violations if {
	violations := model_dependencies.violation with input as document
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

rules(document, rest) := fixtures.rules_of(found(document, rest))

some_high := {"maximum": {"critical": 0, "high": 1}}

test_few if rules(good, some_high) == set()

test_each_where_none_is_allowed if {
	{[one.rule, one.severity, one.slice, one.values] | some one in found(good, {})} == {[
		"model_dependencies.vulnerability",
		"high",
		{"cve": "CVE-2018-18074"},
		{"severity": "high", "cve": "CVE-2018-18074", "packages": ["requests 2.19.1, fixed in 2.20.0"]},
	]}
}

with_fact(path, value) := json.patch(good, [{
	"op": "replace",
	"path": concat("/", ["/evidence/model_dependencies/facts", path]),
	"value": value,
}])

two_of_them := json.patch(with_fact("vulnerabilities", [cve, cve]), [{
	"op": "replace",
	"path": "/evidence/model_dependencies/measurements/1/value",
	"value": 2,
}])

test_many if rules(two_of_them, some_high) == {"model_dependencies.vulnerable"}

test_unpinned if {
	loose := about([{"requirement": "numpy>=2", "file": "requirements.txt", "why": "it allows several versions"}])
	{[one.rule, one.slice] | some one in found(loose, some_high)} == {[
		"model_dependencies.unpinned",
		{"requirement": "numpy>=2"},
	]}
}

test_old_database if {
	rules(good, object.union(some_high, {"database_age_days": 2})) == {"model_dependencies.old_database"}
	rules(with_fact("database", {}), some_high) == {"model_dependencies.old_database"}
}

test_not_counted if {
	rules(good, {"maximum": {"low": 0}}) == {"model_dependencies.not_counted"}
	rules(with_fact("vulnerabilities", []), some_high) == {"model_dependencies.not_counted"}
}

test_not_listed if {
	every path, wrong in {
		"files": [],
		"packages": [],
		"packages/0": null,
		"packages/0/package": "",
		"packages/0/version": null,
		"packages/0/file": 1,
		"unpinned": [requests],
		"unpinned/0": requests,
	} {
		operation := {"unpinned/0": "add"}
		changed := json.patch(good, [{
			"op": object.get(operation, path, "replace"),
			"path": concat("/", ["/evidence/model_dependencies/facts", path]),
			"value": wrong,
		}])
		rules(changed, some_high) == {"model_dependencies.not_listed"}
	}
	every wrong in [{"requirement": ""}, {"file": null}, {"why": ""}] {
		one := object.union({"requirement": "a", "file": "requirements.txt", "why": "b"}, wrong)
		rules(about([one]), some_high) == {"model_dependencies.not_listed"}
	}
	empty := json.patch(with_fact("packages", []), [{
		"op": "replace",
		"path": "/evidence/model_dependencies/measurements/2/value",
		"value": 0,
	}])
	reasons(empty) == {"no requirement is named, or a list is not whole"}
	"there is no evidence of this kind" in reasons(fixtures.submission)
}

reasons(document) := {one.values.reason |
	some one in found(document, some_high)
	one.rule == "model_dependencies.not_listed"
}

test_malformed[key] if {
	some key, wrong in {"maximum": {}, "database_age_days": -1, "packages": ["requests"]}
	law := fixtures.law_of(item({key: wrong}))
	model_dependencies.malformed == {{"policy": "n", "key": key}} with data.mlpolicy.law as law
	model_dependencies.judged == set() with data.mlpolicy.law as law
}

test_judged if model_dependencies.judged == {"n"} with data.mlpolicy.law as fixtures.law_of(item({}))
