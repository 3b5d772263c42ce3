# METADATA
# title: The model's dependencies
# description: >-
#   The packages that a model's own requirements name have no more known vulnerabilities than the law allows, by a scan
#   against a recent database. The evidence `model_dependencies` has the facts `files` (where the requirements stand),
#   `packages: [{package, version, file}]`, `unpinned: [{requirement, file, why}]` (which cannot be judged),
#   `database: {age_days}` and `vulnerabilities: [{cve, package, severity}]`; for each severity a measurement
#   `model_dependencies/vulnerabilities` with the slice `{severity: critical | high | medium | low | unknown}` whose value
#   is their number, and `model_dependencies/packages` and `model_dependencies/unpinned`.
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.7
#   parameters:
#     type: object
#     properties:
#       maximum:
#         type: object
#         minProperties: 1
#         additionalProperties: false
#         default: {critical: 0, high: 0}
#         description: How many vulnerabilities of each severity there may be; severities that are not named are not judged. Where it is 0, each is a violation of its own, which a waiver can name by its CVE.
#         properties: {critical: &count {type: integer, minimum: 0}, high: *count, medium: *count, low: *count, unknown: *count}
#       database_age_days:
#         type: number
#         minimum: 0
#         default: 7
#         description: How old the database of vulnerabilities may be.
package mlpolicy.rules.model_dependencies

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law
import data.mlpolicy.lib.vulnerabilities

wrong_keys(item) := union({
	law.wrong_keys(item, {"maximum", "database_age_days"}),
	vulnerabilities.wrong_keys(item),
})

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("model_dependencies")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("model_dependencies"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

facts := input.evidence.model_dependencies.facts if evidence.usable("model_dependencies", {"measured"})

counted(name) := evidence.measured("model_dependencies", concat("/", ["model_dependencies", name]), {}, set()).value

# Each is undefined where one cannot be read, or where as many are not listed as were counted.
packages := facts.packages if {
	is_array(facts.packages)
	count(facts.packages) == counted("packages")
	every one in facts.packages {
		law.has_text(one, "package")
		law.has_text(one, "version")
		law.has_text(one, "file")
	}
}

unpinned := facts.unpinned if {
	is_array(facts.unpinned)
	count(facts.unpinned) == counted("unpinned")
	every one in facts.unpinned {
		law.has_text(one, "requirement")
		law.has_text(one, "file")
		law.has_text(one, "why")
	}
}

# METADATA
# title: the model's dependencies are not listed
# description: The packages that the model needs are listed, in files that lie with it.
# custom:
#   rule: model_dependencies.not_listed
#   severity: high
#   message: "it is not known what the model depends on: {values[reason]}"
#   remedy: "log the model with `pip_requirements`, each as name==version, name it with `model: uri:` in compliance.yaml, and measure again"
#   reads: ["input.evidence.model_dependencies.facts.files[]", "input.evidence.model_dependencies.facts.packages[]", "input.evidence.model_dependencies.facts.unpinned[]", "input.evidence.model_dependencies.measurements[]"]
violation contains law.finding("model_dependencies.not_listed", item, "high", "id", {"values": {"reason": reason}}) if {
	some item in items
	not listed
}

listed if {
	law.is_texts(facts.files)
	count(packages) + count(unpinned) > 0
}

reason := "no requirement is named, or a list is not whole" if is_object(facts)

else := evidence.reason("model_dependencies", [])

# METADATA
# title: "{values[requirement]} cannot be judged"
# description: Every requirement of the model names the one version that is installed; of any other nothing is known.
# custom:
#   rule: model_dependencies.unpinned
#   severity: high
#   message: "{values[requirement]} in {values[file]} cannot be judged: {values[why]}"
#   remedy: write it as name==version, as `pip freeze` does, and log the model again
#   reads: ["input.evidence.model_dependencies.facts.unpinned[]"]
violation contains law.finding("model_dependencies.unpinned", item, "high", "id", rest) if {
	some item in items
	some one in unpinned
	values := object.filter(one, ["requirement", "file", "why"])
	rest := {"slice": {"requirement": one.requirement}, "values": values}
}

# METADATA
# title: the database of vulnerabilities is too old
# description: The model's dependencies were scanned against a database that is recent enough.
# custom:
#   rule: model_dependencies.old_database
#   severity: high
#   message: "the database of vulnerabilities is {values[age]} days old, allowed are {limit}"
#   remedy: update the scanner's database and scan again
#   reads: [input.evidence.model_dependencies.facts.database.age_days]
violation contains law.finding("model_dependencies.old_database", item, "high", "database_age_days", rest) if {
	some item in items
	some rest in vulnerabilities.outdated("model_dependencies", item)
}

# METADATA
# title: "{values[severity]} vulnerabilities were not counted"
# description: The vulnerabilities of each severity that the law limits were counted, and are listed.
# custom:
#   rule: model_dependencies.not_counted
#   severity: high
#   message: "the scan does not say how many {values[severity]} vulnerabilities there are, and which"
#   remedy: scan the model's dependencies again, for every severity
#   reads: ["input.evidence.model_dependencies.measurements[]", "input.evidence.model_dependencies.facts.vulnerabilities[]"]
violation contains law.finding("model_dependencies.not_counted", item, "high", "maximum", rest) if {
	some item in items
	some severity in vulnerabilities.uncounted("model_dependencies", item)
	rest := {"values": {"severity": severity}}
}

# METADATA
# title: "the model's dependencies have {values[severity]} vulnerabilities"
# description: There are no more vulnerabilities of a severity than the law allows.
# custom:
#   rule: model_dependencies.vulnerable
#   severity: high
#   message: "the model's dependencies have {value} {values[severity]} vulnerabilities, allowed are {limit}"
#   remedy: update the packages that the scan names, train the model with them and log it again
#   reads: ["input.evidence.model_dependencies.measurements[].value"]
violation contains law.finding("model_dependencies.vulnerable", item, severity, "maximum", rest) if {
	some item in items
	some named, rest in vulnerabilities.too_many("model_dependencies", item)
	severity := vulnerabilities.grade(named)
}

# METADATA
# title: "{values[cve]} is in {values[packages]}"
# description: There is no vulnerability of a severity of which the law allows none.
# custom:
#   rule: model_dependencies.vulnerability
#   severity: high
#   message: "the model needs what has the {values[severity]} vulnerability {values[cve]}: {values[packages]}"
#   remedy: "where a fix is named, update the package to it, train the model with it and log it again; where there is none yet, a waiver says why it may be there"
#   reads: ["input.evidence.model_dependencies.facts.vulnerabilities[]"]
violation contains law.finding("model_dependencies.vulnerability", item, severity, "maximum", rest) if {
	some item in items
	some rest in vulnerabilities.forbidden("model_dependencies", item)
	severity := vulnerabilities.grade(rest.values.severity)
}
