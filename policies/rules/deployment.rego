# METADATA
# title: Deployment files
# description: >-
#   The files that deploy the model (Dockerfiles, Kubernetes, Terraform) fail no check that the law asks for, and images are
#   built from pinned and approved ones; images and workloads bear the labels that the law asks for. Every file with a workload
#   or an image is among the checked ones, and so is every one that cannot be read. The evidence `deployment` has the facts `checked_files`, `misconfigurations: [{check, severity, file, line}]`, `base_images: [{image, pinned,
#   file}]`, `ignored_checks: [{file, line}]`, `workloads: [{workload, file, labels}]` (images and pod templates, each with
#   the names of its labels) and `unread_files: [{file, why}]`; for each severity a measurement
#   `deployment/misconfigurations` with the slice `{severity: …}`, and `deployment/checked_files` and so on, which count the
#   others.
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.7
#   parameters:
#     type: object
#     properties:
#       severities:
#         type: array
#         minItems: 1
#         default: [critical, high]
#         description: Checks of these severities must not fail.
#         items: {enum: [critical, high, medium, low, unknown]}
#       checks:
#         type: array
#         minItems: 1
#         default: [AVD-DS-0001, AVD-DS-0002, AVD-KSV-0011, AVD-KSV-0012, AVD-KSV-0013, AVD-KSV-0018]
#         description: Checks that must not fail, whatever their severity; by default no tag `latest`, no root user, and limits of CPU and memory.
#         items: {type: string, minLength: 1}
#       base_images:
#         type: array
#         minItems: 1
#         description: What the names of images that Dockerfiles use begin with (FROM, COPY --from, RUN --mount from, syntax); any, when nothing is said.
#         items: {type: string, minLength: 1}
#       pinned_base:
#         type: boolean
#         default: true
#         description: Whether those images must be named by their digest.
#       labels:
#         type: array
#         minItems: 1
#         description: Labels that images (LABEL in their Dockerfile) and the pod templates of Kubernetes must have; none, when nothing is said.
#         items: {type: string, minLength: 1}
package mlpolicy.rules.deployment

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

severities := {"critical", "high", "medium", "low", "unknown"}

default_checks := ["AVD-DS-0001", "AVD-DS-0002", "AVD-KSV-0011", "AVD-KSV-0012", "AVD-KSV-0013", "AVD-KSV-0018"]

wrong_keys(item) := union({
	law.wrong_keys(item, {"severities", "checks", "base_images", "pinned_base", "labels"}),
	{"severities" | not valid_severities(asked(item))},
	{"checks" | not law.is_texts(checks(item))},
	{"base_images" | not law.is_texts(object.get(item, "base_images", ["any"]))},
	{"labels" | not law.is_texts(object.get(item, "labels", ["any"]))},
	{"pinned_base" | not is_boolean(object.get(item, "pinned_base", true))},
})

asked(item) := object.get(item, "severities", ["critical", "high"])

checks(item) := object.get(item, "checks", default_checks)

valid_severities(named) if {
	law.is_texts(named)
	every severity in named {
		severity in severities
	}
}

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("deployment")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("deployment"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

facts := input.evidence.deployment.facts if evidence.usable("deployment", {"measured"})

counted(name, slice) := evidence.measured("deployment", concat("/", ["deployment", name]), slice, set()).value

# Each is undefined where one cannot be read, or where as many are not listed as were counted.
checked_files := facts.checked_files if {
	law.is_texts(facts.checked_files)
	count(facts.checked_files) == counted("checked_files", {})
}

misconfigurations := facts.misconfigurations if {
	is_array(facts.misconfigurations)
	every one in facts.misconfigurations {
		law.has_text(one, "check")
		law.has_text(one, "file")
		one.severity in severities
	}
	every severity in severities {
		counted("misconfigurations", {"severity": severity}) == count([1 |
			some one in facts.misconfigurations
			one.severity == severity
		])
	}
}

base_images := facts.base_images if {
	is_array(facts.base_images)
	count(facts.base_images) == counted("base_images", {})
	every one in facts.base_images {
		law.has_text(one, "image")
		law.has_text(one, "file")
		is_boolean(one.pinned)
	}
}

ignored_checks := facts.ignored_checks if {
	is_array(facts.ignored_checks)
	count(facts.ignored_checks) == counted("ignored_checks", {})
	every one in facts.ignored_checks {
		law.has_text(one, "file")
	}
}

workloads := described if count(described) > 0

described := facts.workloads if {
	is_array(facts.workloads)
	count(facts.workloads) == counted("workloads", {})
	every one in facts.workloads {
		law.has_text(one, "workload")
		law.has_text(one, "file")
		is_array(one.labels)
	}
}

unread_files := facts.unread_files if {
	is_array(facts.unread_files)
	count(facts.unread_files) == counted("unread_files", {})
	every one in facts.unread_files {
		law.has_text(one, "file")
		law.has_text(one, "why")
	}
}

# METADATA
# title: the deployment files were not checked
# description: The files that deploy the model were all checked, and what was found is listed.
# custom:
#   rule: deployment.not_checked
#   severity: high
#   message: "the evidence does not list what was checked, and what was found: {values[reason]}"
#   remedy: "name Dockerfiles and manifests as `deployment: files:` in compliance.yaml, and measure again"
#   reads: ["input.evidence.deployment.measurements[]", "input.evidence.deployment.facts.checked_files[]", "input.evidence.deployment.facts.misconfigurations[]", "input.evidence.deployment.facts.base_images[]", "input.evidence.deployment.facts.ignored_checks[]", "input.evidence.deployment.facts.workloads[]", "input.evidence.deployment.facts.unread_files[]"]
violation contains law.finding("deployment.not_checked", item, "high", "id", {"values": {"reason": reason}}) if {
	some item in items
	some reason in unchecked
}

unchecked contains reason if not listed

# What Trivy has not looked at fails no check of it.
unchecked contains concat("", [one.workload, " in ", one.file, " was not checked"]) if {
	listed
	some one in described
	not one.file in checked_files
}

unchecked contains concat("", [one.file, " was not checked, and uses images"]) if {
	listed
	some one in base_images
	not one.file in checked_files
}

unchecked contains concat("", [one.file, " cannot be read: ", one.why]) if {
	listed
	some one in unread_files
	not one.file in checked_files
}

listed if {
	checked_files
	misconfigurations
	base_images
	ignored_checks
	described
	unread_files
}

reason := "no file is of a known kind, or a list is not whole" if is_object(facts)

else := evidence.reason("deployment", [])

# METADATA
# title: "{values[check]} fails in {values[file]}"
# description: The files that deploy the model fail no check of a severity, or of a name, that the law asks for.
# custom:
#   rule: deployment.misconfiguration
#   severity: high
#   message: "{values[file]} fails the {values[severity]} check {values[check]}: {values[title]}"
#   remedy: "{values[resolution]} (https://avd.aquasec.com/misconfig/{values[check]})"
#   reads: ["input.evidence.deployment.facts.misconfigurations[]"]
violation contains law.finding("deployment.misconfiguration", item, grade(one.severity), "id", {"values": values}) if {
	some item in items
	some one in misconfigurations
	must_hold(item, one)
	values := object.union(
		{"title": "look it up", "resolution": "look it up"},
		object.filter(one, ["check", "file", "severity", "title", "resolution"]),
	)
}

must_hold(item, one) if one.severity in asked(item)

must_hold(item, one) if one.check in checks(item)

grade(severity) := severity if severity != "unknown"

else := "high"

# METADATA
# title: "{values[file]} uses {values[image]}"
# description: Images are built from approved ones, named by their digest; so is what files are taken from, or read the Dockerfile.
# custom:
#   rule: deployment.base_image
#   severity: high
#   message: "{values[file]} uses the image {values[image]}, which is {values[why]}"
#   remedy: "name an approved image by its digest: FROM name@sha256:…, and so for COPY --from, RUN --mount from and syntax"
#   reads: ["input.evidence.deployment.facts.base_images[]"]
violation contains law.finding("deployment.base_image", item, "high", "base_images", {"values": values}) if {
	some item in items
	some one in base_images
	some why in wrongs(item, one)
	values := {"file": one.file, "image": one.image, "why": why}
}

wrongs(item, one) := union({
	{"not named by its digest" |
		object.get(item, "pinned_base", true)
		not one.pinned
	},
	{"not approved" | not approved(item, one.image)},
})

approved(item, _) if not "base_images" in object.keys(item)

approved(item, image) if {
	some prefix in item.base_images
	startswith(image, prefix)
}

# METADATA
# title: "{values[file]} leaves a check out"
# description: No comment in a file switches a check off; a waiver does so for a time, and is seen.
# custom:
#   rule: deployment.ignored_check
#   severity: medium
#   message: "a comment in {values[file]} lets the scanner leave a check out"
#   remedy: remove the comment, and have a waiver approved
#   reads: ["input.evidence.deployment.facts.ignored_checks[]"]
violation contains law.finding("deployment.ignored_check", item, "medium", "id", {"values": {"file": file}}) if {
	some item in items
	some file in {one.file | some one in ignored_checks}
}

# METADATA
# title: "{values[workload]} has no label {values[label]}"
# description: Images and the pod templates of workloads bear the labels that the law asks for.
# custom:
#   rule: deployment.label
#   severity: medium
#   message: "{values[workload]} in {values[file]} has no label {values[label]}"
#   remedy: "add it: LABEL in a Dockerfile, metadata.labels of the pod template in Kubernetes"
#   reads: ["input.evidence.deployment.facts.workloads[]"]
violation contains law.finding("deployment.label", item, "medium", "labels", rest) if {
	some item in items
	some label in object.get(item, "labels", [])
	some one in workloads
	not label in one.labels
	named := {"label": label, "workload": one.workload}
	rest := {"slice": named, "values": object.union(named, {"file": one.file})}
}

# METADATA
# title: "it is not known which labels {values[what]} has"
# description: Every file that may describe a workload can be read, and there is one that does.
# custom:
#   rule: deployment.labels_not_read
#   severity: medium
#   message: "the labels of {values[what]} are not known: {values[why]}"
#   remedy: "name what is deployed: rendered manifests (helm template, kubectl kustomize) in the place of templates"
#   reads: ["input.evidence.deployment.facts.workloads[]", "input.evidence.deployment.facts.unread_files[]", "input.evidence.deployment.measurements[]"]
violation contains law.finding("deployment.labels_not_read", item, "medium", "labels", {"values": values}) if {
	some item in items
	"labels" in object.keys(item)
	some values in unlabelled
}

unlabelled contains {"what": one.file, "why": one.why} if some one in unread_files

unlabelled contains {"what": "what is deployed", "why": "no workload is named, or the list is not whole"} if not workloads

unlabelled contains {"what": "what is deployed", "why": "the list of unread files is not whole"} if not unread_files
