# METADATA
# title: Container image
# description: >-
#   The image that serves the model has no more known vulnerabilities than the law allows, and no secrets, by a complete
#   scan against a recent database. The evidence `image` has the facts `digest` ("sha256:…" of the image), `incomplete`
#   (whether a part could not be scanned), `database: {age_days}`, `vulnerabilities: [{cve, package, severity}]` and
#   `secrets: [{rule, file}]`; for each severity a measurement `image/vulnerabilities` with the slice
#   `{severity: critical | high | medium | low | unknown}` whose value is their number, and `image/secrets`.
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
#       secrets:
#         enum: [deny, warn]
#         default: deny
#         description: What it is that a secret is in the image.
#       database_age_days:
#         type: number
#         minimum: 0
#         default: 7
#         description: How old the database of vulnerabilities may be.
package mlpolicy.rules.image

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

severities := {"critical", "high", "medium", "low", "unknown"}

# How grave a vulnerability is that nobody has graded yet.
grade(severity) := severity if severity != "unknown"

else := "high"

wrong_keys(item) := union({
	law.wrong_keys(item, {"maximum", "secrets", "database_age_days"}),
	{"maximum" | not valid_maximum(maximum(item))},
	{"secrets" | not law.optional_choice(item, "secrets", ["deny", "warn"])},
	{"database_age_days" | not is_count(age(item))},
})

valid_maximum(limits) if {
	is_object(limits)
	count(limits) > 0
	every severity, limit in limits {
		severity in severities
		is_count(limit)
	}
}

is_count(value) if {
	is_number(value)
	value >= 0
}

maximum(item) := object.get(item, "maximum", {"critical": 0, "high": 0})

age(item) := object.get(item, "database_age_days", 7)

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("image")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("image"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

facts := input.evidence.image.facts if evidence.usable("image", {"measured"})

# METADATA
# title: the image was not scanned as a whole
# description: An image, named by its digest, was scanned completely.
# custom:
#   rule: image.not_scanned
#   severity: critical
#   message: "there is no complete scan of an image: {values[reason]}"
#   remedy: scan the image that will be deployed, by its digest, and put the result among the evidence
#   reads: [input.evidence.image.facts.digest, input.evidence.image.facts.incomplete]
violation contains law.finding("image.not_scanned", item, "critical", "id", {"values": {"reason": reason}}) if {
	some item in items
	not scanned
}

scanned if {
	is_string(facts.digest)
	startswith(facts.digest, "sha256:")
	evidence.is_sha256(trim_prefix(facts.digest, "sha256:"))
	facts.incomplete == false
}

reason := input.evidence.image.reason if {
	facts.incomplete == true
	evidence.said(input.evidence.image)
}

else := "a part of it could not be scanned" if facts.incomplete == true

else := "it does not say of which image, or whether it is complete" if is_object(facts)

else := evidence.reason("image", [])

# METADATA
# title: the database of vulnerabilities is too old
# description: The image was scanned against a database that is recent enough.
# custom:
#   rule: image.old_database
#   severity: high
#   message: "the database of vulnerabilities is {values[age]} days old, allowed are {limit}"
#   remedy: update the scanner's database and scan again
#   reads: [input.evidence.image.facts.database.age_days]
violation contains law.finding("image.old_database", item, "high", "database_age_days", rest) if {
	some item in items
	not is_recent(item)
	rest := {"limit": age(item), "values": {"age": stated_age}}
}

is_recent(item) if {
	is_count(facts.database.age_days)
	facts.database.age_days <= age(item)
}

stated_age := facts.database.age_days if is_number(facts.database.age_days)

else := "an unknown number of"

# Undefined where one of them is not named.
vulnerabilities := facts.vulnerabilities if {
	is_array(facts.vulnerabilities)
	every one in facts.vulnerabilities {
		law.has_text(one, "cve")
		law.has_text(one, "package")
		one.severity in severities
	}
}

# Undefined where as many are not listed as were counted.
found(severity) := measurement if {
	measurement := evidence.measured("image", "image/vulnerabilities", {"severity": severity}, set())
	measurement.value == count([1 | some one in vulnerabilities; one.severity == severity])
}

# METADATA
# title: "{values[severity]} vulnerabilities were not counted"
# description: The vulnerabilities of each severity that the law limits were counted, and are listed.
# custom:
#   rule: image.not_counted
#   severity: high
#   message: "the scan does not say how many {values[severity]} vulnerabilities there are, and which"
#   remedy: scan the image again, for every severity
#   reads: ["input.evidence.image.measurements[]", "input.evidence.image.facts.vulnerabilities[]"]
violation contains law.finding("image.not_counted", item, "high", "maximum", {"values": {"severity": severity}}) if {
	some item in items
	some severity, _ in maximum(item)
	not found(severity)
}

# METADATA
# title: "the image has {values[severity]} vulnerabilities"
# description: There are no more vulnerabilities of a severity than the law allows.
# custom:
#   rule: image.vulnerable
#   severity: high
#   message: "the image has {value} {values[severity]} vulnerabilities, allowed are {limit}"
#   remedy: update the packages that the scan names, build the image again and scan it
#   reads: ["input.evidence.image.measurements[].value"]
violation contains law.finding("image.vulnerable", item, grade(severity), "maximum", rest) if {
	some item in items
	some severity, limit in maximum(item)
	limit > 0
	found(severity).value > limit
	rest := object.union(evidence.about(found(severity)), {"limit": limit, "worse": "higher", "values": {"severity": severity}})
}

# METADATA
# title: "{values[cve]} is in {values[packages]}"
# description: There is no vulnerability of a severity of which the law allows none.
# custom:
#   rule: image.vulnerability
#   severity: high
#   message: "the image has the {values[severity]} vulnerability {values[cve]}: {values[packages]}"
#   remedy: update {values[packages]}, build the image again and scan it
#   reads: ["input.evidence.image.facts.vulnerabilities[]"]
violation contains law.finding("image.vulnerability", item, grade(severity), "maximum", {"values": values}) if {
	some item in items
	some severity, limit in maximum(item)
	limit == 0
	found(severity)
	some cve in {one.cve | some one in vulnerabilities; one.severity == severity}
	packages := sort({described(one) | some one in vulnerabilities; one.cve == cve; one.severity == severity})
	values := {"severity": severity, "cve": cve, "packages": packages}
}

described(one) := concat("", [one.package, stated(one, "installed", " "), stated(one, "fixed", ", fixed in ")])

stated(one, key, before) := concat("", [before, one[key]]) if law.has_text(one, key)

else := ""

# METADATA
# title: it is not known whether secrets are in the image
# description: The image was searched for passwords, keys and tokens.
# custom:
#   rule: image.secrets_not_counted
#   severity: high
#   message: the scan does not say how many secrets there are in the image, and where
#   remedy: scan the image again, for secrets too
#   reads: ["input.evidence.image.measurements[]", "input.evidence.image.facts.secrets[]"]
violation contains law.finding("image.secrets_not_counted", item, "high", "secrets", {}) if {
	some item in items
	not secrets
}

# Undefined where one of them is not named, or where as many are not listed as were counted.
secrets := facts.secrets if {
	is_array(facts.secrets)
	evidence.measured("image", "image/secrets", {}, set()).value == count(facts.secrets)
	every one in facts.secrets {
		law.has_text(one, "rule")
		law.has_text(one, "file")
	}
}

# METADATA
# title: "a secret is in {values[file]}"
# description: No password, key or token is in the image, where everybody who may pull it can read it.
# custom:
#   rule: image.secret
#   severity: critical
#   message: "{values[file]} in the image holds a secret of the kind {values[kind]}"
#   remedy: take it out of the image, build it again without the layer that has it, and change the secret
#   reads: ["input.evidence.image.facts.secrets[]"]
leaks contains {"item": item, "finding": finding} if {
	some item in items
	some one in secrets
	values := {"kind": one.rule, "file": one.file}
	finding := law.finding("image.secret", item, "critical", "secrets", {"values": values})
}

violation contains leak.finding if {
	some leak in leaks
	object.get(leak.item, "secrets", "deny") == "deny"
}

warning contains leak.finding if {
	some leak in leaks
	leak.item.secrets == "warn"
}
