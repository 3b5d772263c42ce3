package mlpolicy_test.rules.deployment

import data.mlpolicy.rules.deployment
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "d", "type": "deployment"}, rest)

of(severity, count) := fixtures.measured("deployment/misconfigurations", count, {"slice": {"severity": severity}})

wrong(check, severity) := {"check": check, "severity": severity, "file": "Dockerfile"}

about(misconfigurations, bases, ignored) := fixtures.added("/evidence/deployment", fixtures.evidence(
	"deployment", "measured",
	{
		"checked_files": ["Dockerfile", "credit.yaml"],
		"misconfigurations": misconfigurations,
		"base_images": bases,
		"ignored_checks": ignored,
		"workloads": [{"workload": "Deployment credit", "file": "credit.yaml", "labels": ["app", "tier"]}],
		"unread_files": [],
	},
	array.concat(
		[
			fixtures.measured("deployment/checked_files", 2, {}),
			fixtures.measured("deployment/base_images", count(bases), {}),
			fixtures.measured("deployment/ignored_checks", count(ignored), {}),
			fixtures.measured("deployment/workloads", 1, {}),
			fixtures.measured("deployment/unread_files", 0, {}),
		],
		[of(severity, count([1 | some one in misconfigurations; one.severity == severity])) |
			some severity in deployment.severities
		],
	),
))

pinned := {"image": "docker.io/python@sha256:1", "pinned": true, "file": "Dockerfile"}

good := about([wrong("AVD-DS-0026", "low")], [pinned], [])

rules(document, rest) := fixtures.rules_of(violations) if {
	violations := deployment.violation with input as document
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

test_good if rules(good, {}) == set()

test_checks_by_severity_and_by_name if {
	rules(good, {"severities": ["low"]}) == {"deployment.misconfiguration"}
	rules(good, {"checks": ["AVD-DS-0026"]}) == {"deployment.misconfiguration"}
	rules(about([wrong("AVD-DS-0002", "high")], [], []), {}) == {"deployment.misconfiguration"}
	rules(about([wrong("AVD-DS-0001", "medium")], [], []), {}) == {"deployment.misconfiguration"}
	rules(about([wrong("A", "unknown")], [], []), {"severities": ["unknown"]}) == {"deployment.misconfiguration"}
}

test_base_images if {
	rules(good, {"base_images": ["docker.io/"]}) == set()
	rules(good, {"base_images": ["registry.example.org/"]}) == {"deployment.base_image"}
	loose := about([], [object.union(pinned, {"pinned": false})], [])
	rules(loose, {}) == {"deployment.base_image"}
	rules(loose, {"pinned_base": false}) == set()
}

test_ignored if rules(about([], [], [{"file": "main.tf"}]), {}) == {"deployment.ignored_check"}

with_fact(path, value) := json.patch(good, [{
	"op": "replace",
	"path": concat("/", ["/evidence/deployment/facts", path]),
	"value": value,
}])

test_labels if {
	rules(good, {"labels": ["tier"]}) == set()
	rules(good, {"labels": ["tier", "owner"]}) == {"deployment.label"}
	violations := deployment.violation with input as good
		with data.mlpolicy.law as fixtures.law_of(item({"labels": ["owner"]}))
	{one.slice | some one in violations} == {{"label": "owner", "workload": "Deployment credit"}}
}

test_labels_not_read if {
	every path, other in {
		"workloads": [],
		"workloads/0": null,
		"workloads/0/workload": "",
		"workloads/0/file": null,
		"workloads/0/labels": "tier",
		"unread_files": null,
		"unread_files/-": {"file": "a.yaml", "why": "b"},
	} {
		changed := json.patch(good, [{
			"op": operation(path),
			"path": concat("/", ["/evidence/deployment/facts", path]),
			"value": other,
		}])
		rules(changed, {"labels": ["tier"]}) == {"deployment.labels_not_read", "deployment.not_checked"}
		rules(changed, {}) == {"deployment.not_checked"}
	}
	nothing := json.patch(with_fact("workloads", []), [{
		"op": "replace",
		"path": "/evidence/deployment/measurements/3/value",
		"value": 0,
	}])
	rules(nothing, {"labels": ["tier"]}) == {"deployment.labels_not_read"}
	rules(nothing, {}) == set()
}

operation(path) := "add" if endswith(path, "-")

else := "replace"

unread(one) := json.patch(with_fact("unread_files", [one]), [{
	"op": "replace",
	"path": "/evidence/deployment/measurements/4/value",
	"value": 1,
}])

test_an_unread_file_is_named if {
	violations := deployment.violation with input as unread({"file": "a.yaml", "why": "it is a template"})
		with data.mlpolicy.law as fixtures.law_of(item({"labels": ["tier"]}))
	{one.values | some one in violations} == {
		{"what": "a.yaml", "why": "it is a template"},
		{"reason": "a.yaml cannot be read: it is a template"},
	}
	every wrong in [{"file": "", "why": "b"}, {"file": "a", "why": null}] {
		rules(unread(wrong), {"labels": ["tier"]}) == {"deployment.labels_not_read", "deployment.not_checked"}
	}
}

test_not_checked if {
	every path, other in {
		"checked_files": [],
		"misconfigurations": [],
		"misconfigurations/0": null,
		"misconfigurations/0/check": "",
		"misconfigurations/0/file": null,
		"misconfigurations/0/severity": "high",
		"base_images": [],
		"base_images/0/image": null,
		"base_images/0/file": "",
		"base_images/0/pinned": "true",
		"ignored_checks": [{"file": "a"}],
	} {
		rules(with_fact(path, other), {}) == {"deployment.not_checked"}
	}
	rules(fixtures.submission, {}) == {"deployment.not_checked"}
}

# What may be deployed has to be among what was checked, whether the law asks for labels or not.
test_a_file_that_is_not_among_the_checked_ones if {
	every one in [["Dockerfile", "other.yaml"], ["credit.yaml", "other"]] {
		rules(with_fact("checked_files", one), {}) == {"deployment.not_checked"}
	}
	rules(unread({"file": "a.yaml", "why": "a template"}), {}) == {"deployment.not_checked"}
	rules(unread({"file": "Dockerfile", "why": "a label"}), {}) == set()
}

test_ignored_without_a_file if rules(about([], [], [{"file": ""}]), {}) == {"deployment.not_checked"}

test_malformed[key] if {
	some key, value in {
		"severities": ["huge"],
		"checks": [],
		"base_images": "docker.io",
		"pinned_base": "yes",
		"labels": [],
		"annotations": ["a"],
	}
	law := fixtures.law_of(item({key: value}))
	deployment.malformed == {{"policy": "d", "key": key}} with data.mlpolicy.law as law
	deployment.judged == set() with data.mlpolicy.law as law
}

test_judged if deployment.judged == {"d"} with data.mlpolicy.law as fixtures.law_of(item({}))
