# METADATA
# title: Container image
# description: >-
#   The image that serves the model has no more known vulnerabilities than the law allows, and no secrets, by a complete
#   scan against a recent database, and no licences but allowed ones. The evidence `image` has the facts `digest`
#   ("sha256:…" of the image), `incomplete` (whether a part could not be scanned), `database: {age_days}`,
#   `vulnerabilities: [{cve, package, severity}]`, `secrets: [{rule, file}]` and `licences: [{name, packages}]`; for each
#   severity a measurement `image/vulnerabilities` with the slice `{severity: critical | high | medium | low | unknown}`
#   whose value is their number, and `image/secrets` and `image/licences`.
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
#       licences:
#         type: array
#         minItems: 1
#         description: The licences that packages may have, by their SPDX names; `unknown` is for packages that state none. All are allowed when nothing is said.
#         items: {type: string, minLength: 1}
#       database_age_days:
#         type: number
#         minimum: 0
#         default: 7
#         description: How old the database of vulnerabilities may be.
package mlpolicy.rules.image

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law
import data.mlpolicy.lib.vulnerabilities

wrong_keys(item) := union({
	law.wrong_keys(item, {"maximum", "secrets", "licences", "database_age_days"}),
	vulnerabilities.wrong_keys(item),
	{"secrets" | not law.optional_choice(item, "secrets", ["deny", "warn"])},
	{"licences" | not law.is_texts(object.get(item, "licences", ["any"]))},
})

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
	some rest in vulnerabilities.outdated("image", item)
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
	some severity in vulnerabilities.uncounted("image", item)
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
violation contains law.finding("image.vulnerable", item, vulnerabilities.grade(severity), "maximum", rest) if {
	some item in items
	some severity, rest in vulnerabilities.too_many("image", item)
}

# METADATA
# title: "{values[cve]} is in {values[packages]}"
# description: There is no vulnerability of a severity of which the law allows none.
# custom:
#   rule: image.vulnerability
#   severity: high
#   message: "the image has the {values[severity]} vulnerability {values[cve]}: {values[packages]}"
#   remedy: "where a fix is named, update the package to it and build the image again; where there is none yet, a VEX file or a waiver says why it may be there"
#   reads: ["input.evidence.image.facts.vulnerabilities[]"]
violation contains law.finding("image.vulnerability", item, severity, "maximum", rest) if {
	some item in items
	some rest in vulnerabilities.forbidden("image", item)
	severity := vulnerabilities.grade(rest.values.severity)
}

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

# METADATA
# title: it is not known which licences are in the image
# description: Every package of the image has a licence that is known, or is listed as one that has none.
# custom:
#   rule: image.licences_not_listed
#   severity: high
#   message: the scan does not list the licences of the image's packages
#   remedy: scan the image again, for licences too
#   reads: ["input.evidence.image.measurements[]", "input.evidence.image.facts.licences[]"]
violation contains law.finding("image.licences_not_listed", item, "high", "licences", {}) if {
	some item in items
	"licences" in object.keys(item)
	not licences
}

# Undefined where one of them is not named, or where as many are not listed as were counted.
licences := facts.licences if {
	is_array(facts.licences)
	count(facts.licences) > 0
	evidence.measured("image", "image/licences", {}, set()).value == count(facts.licences)
	every one in facts.licences {
		law.has_text(one, "name")
		law.has_texts(one, "packages")
	}
}

# METADATA
# title: "the licence of {values[packages]} is {values[licence]}"
# description: Packages in the image have licences that the law allows.
# custom:
#   rule: image.licence
#   severity: medium
#   message: "the licence {values[licence]} is not allowed: {values[packages]}"
#   remedy: "do without these packages, or add the licence to `licences`, once somebody has read it"
#   reads: ["input.evidence.image.facts.licences[]"]
violation contains law.finding("image.licence", item, "medium", "licences", rest) if {
	some item in items
	some one in licences
	not licensed(item, one.name)
	rest := {"slice": {"licence": one.name}, "values": {"licence": one.name, "packages": one.packages}}
}

licensed(item, _) if not "licences" in object.keys(item)

licensed(item, name) if name in item.licences

# Of a plain choice one is enough, of a plain conjunction all are needed; whatever has both is named in full.
licensed(item, name) if {
	not contains(name, "(")
	not contains(name, " AND ")
	some choice in split(name, " OR ")
	choice in item.licences
}

licensed(item, name) if {
	not contains(name, "(")
	not contains(name, " OR ")
	every part in split(name, " AND ") {
		part in item.licences
	}
}
