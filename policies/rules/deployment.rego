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
#         items:
#           enum: [AVD-AWS-0001, AVD-AWS-0002, AVD-AWS-0003, AVD-AWS-0004, AVD-AWS-0005, AVD-AWS-0006, AVD-AWS-0007,
#             AVD-AWS-0008, AVD-AWS-0009, AVD-AWS-0010, AVD-AWS-0011, AVD-AWS-0012, AVD-AWS-0013, AVD-AWS-0014,
#             AVD-AWS-0015, AVD-AWS-0016, AVD-AWS-0017, AVD-AWS-0018, AVD-AWS-0019, AVD-AWS-0020, AVD-AWS-0021,
#             AVD-AWS-0022, AVD-AWS-0023, AVD-AWS-0024, AVD-AWS-0025, AVD-AWS-0026, AVD-AWS-0027, AVD-AWS-0028,
#             AVD-AWS-0029, AVD-AWS-0030, AVD-AWS-0031, AVD-AWS-0032, AVD-AWS-0033, AVD-AWS-0034, AVD-AWS-0035,
#             AVD-AWS-0036, AVD-AWS-0037, AVD-AWS-0038, AVD-AWS-0039, AVD-AWS-0040, AVD-AWS-0041, AVD-AWS-0042,
#             AVD-AWS-0043, AVD-AWS-0045, AVD-AWS-0046, AVD-AWS-0047, AVD-AWS-0048, AVD-AWS-0049, AVD-AWS-0050,
#             AVD-AWS-0051, AVD-AWS-0052, AVD-AWS-0053, AVD-AWS-0054, AVD-AWS-0056, AVD-AWS-0058, AVD-AWS-0059,
#             AVD-AWS-0060, AVD-AWS-0061, AVD-AWS-0062, AVD-AWS-0063, AVD-AWS-0064, AVD-AWS-0065, AVD-AWS-0066,
#             AVD-AWS-0067, AVD-AWS-0070, AVD-AWS-0071, AVD-AWS-0072, AVD-AWS-0073, AVD-AWS-0074, AVD-AWS-0075,
#             AVD-AWS-0076, AVD-AWS-0077, AVD-AWS-0078, AVD-AWS-0079, AVD-AWS-0080, AVD-AWS-0083, AVD-AWS-0084,
#             AVD-AWS-0085, AVD-AWS-0086, AVD-AWS-0087, AVD-AWS-0088, AVD-AWS-0089, AVD-AWS-0090, AVD-AWS-0091,
#             AVD-AWS-0092, AVD-AWS-0093, AVD-AWS-0094, AVD-AWS-0095, AVD-AWS-0096, AVD-AWS-0097, AVD-AWS-0098,
#             AVD-AWS-0099, AVD-AWS-0101, AVD-AWS-0102, AVD-AWS-0104, AVD-AWS-0105, AVD-AWS-0107, AVD-AWS-0109,
#             AVD-AWS-0110, AVD-AWS-0111, AVD-AWS-0112, AVD-AWS-0113, AVD-AWS-0116, AVD-AWS-0117, AVD-AWS-0119,
#             AVD-AWS-0121, AVD-AWS-0122, AVD-AWS-0123, AVD-AWS-0124, AVD-AWS-0125, AVD-AWS-0126, AVD-AWS-0127,
#             AVD-AWS-0128, AVD-AWS-0129, AVD-AWS-0130, AVD-AWS-0131, AVD-AWS-0132, AVD-AWS-0133, AVD-AWS-0135,
#             AVD-AWS-0136, AVD-AWS-0137, AVD-AWS-0138, AVD-AWS-0139, AVD-AWS-0140, AVD-AWS-0141, AVD-AWS-0142,
#             AVD-AWS-0143, AVD-AWS-0144, AVD-AWS-0145, AVD-AWS-0146, AVD-AWS-0147, AVD-AWS-0148, AVD-AWS-0149,
#             AVD-AWS-0150, AVD-AWS-0151, AVD-AWS-0152, AVD-AWS-0153, AVD-AWS-0154, AVD-AWS-0155, AVD-AWS-0156,
#             AVD-AWS-0157, AVD-AWS-0158, AVD-AWS-0159, AVD-AWS-0160, AVD-AWS-0161, AVD-AWS-0162, AVD-AWS-0163,
#             AVD-AWS-0164, AVD-AWS-0165, AVD-AWS-0166, AVD-AWS-0167, AVD-AWS-0168, AVD-AWS-0170, AVD-AWS-0171,
#             AVD-AWS-0172, AVD-AWS-0173, AVD-AWS-0174, AVD-AWS-0176, AVD-AWS-0177, AVD-AWS-0178, AVD-AWS-0179,
#             AVD-AWS-0180, AVD-AWS-0190, AVD-AWS-0320, AVD-AWS-0342, AVD-AWS-0343, AVD-AWS-0344, AVD-AWS-0345,
#             AVD-AWS-0346, AVD-AZU-0001, AVD-AZU-0002, AVD-AZU-0003, AVD-AZU-0004, AVD-AZU-0005, AVD-AZU-0006,
#             AVD-AZU-0007, AVD-AZU-0008, AVD-AZU-0009, AVD-AZU-0010, AVD-AZU-0011, AVD-AZU-0012, AVD-AZU-0013,
#             AVD-AZU-0014, AVD-AZU-0015, AVD-AZU-0016, AVD-AZU-0017, AVD-AZU-0018, AVD-AZU-0019, AVD-AZU-0020,
#             AVD-AZU-0021, AVD-AZU-0022, AVD-AZU-0023, AVD-AZU-0024, AVD-AZU-0025, AVD-AZU-0026, AVD-AZU-0027,
#             AVD-AZU-0028, AVD-AZU-0029, AVD-AZU-0030, AVD-AZU-0031, AVD-AZU-0032, AVD-AZU-0033, AVD-AZU-0034,
#             AVD-AZU-0035, AVD-AZU-0036, AVD-AZU-0037, AVD-AZU-0038, AVD-AZU-0039, AVD-AZU-0040, AVD-AZU-0041,
#             AVD-AZU-0042, AVD-AZU-0043, AVD-AZU-0044, AVD-AZU-0045, AVD-AZU-0046, AVD-AZU-0047, AVD-AZU-0048,
#             AVD-AZU-0049, AVD-AZU-0050, AVD-AZU-0051, AVD-CLDSTK-0001, AVD-DIG-0001, AVD-DIG-0002, AVD-DIG-0003,
#             AVD-DIG-0004, AVD-DIG-0005, AVD-DIG-0006, AVD-DIG-0007, AVD-DIG-0008, AVD-DIG-0009, AVD-DS-0001,
#             AVD-DS-0002, AVD-DS-0004, AVD-DS-0005, AVD-DS-0006, AVD-DS-0007, AVD-DS-0008, AVD-DS-0009, AVD-DS-0010,
#             AVD-DS-0011, AVD-DS-0012, AVD-DS-0013, AVD-DS-0014, AVD-DS-0015, AVD-DS-0016, AVD-DS-0017, AVD-DS-0019,
#             AVD-DS-0020, AVD-DS-0021, AVD-DS-0022, AVD-DS-0023, AVD-DS-0025, AVD-DS-0026, AVD-DS-0027, AVD-DS-0029,
#             AVD-DS-0030, AVD-DS-0031, AVD-GCP-0001, AVD-GCP-0002, AVD-GCP-0003, AVD-GCP-0004, AVD-GCP-0005,
#             AVD-GCP-0006, AVD-GCP-0007, AVD-GCP-0008, AVD-GCP-0009, AVD-GCP-0010, AVD-GCP-0011, AVD-GCP-0012,
#             AVD-GCP-0013, AVD-GCP-0014, AVD-GCP-0015, AVD-GCP-0016, AVD-GCP-0017, AVD-GCP-0018, AVD-GCP-0019,
#             AVD-GCP-0020, AVD-GCP-0021, AVD-GCP-0022, AVD-GCP-0023, AVD-GCP-0024, AVD-GCP-0025, AVD-GCP-0026,
#             AVD-GCP-0027, AVD-GCP-0029, AVD-GCP-0030, AVD-GCP-0031, AVD-GCP-0032, AVD-GCP-0033, AVD-GCP-0034,
#             AVD-GCP-0035, AVD-GCP-0036, AVD-GCP-0037, AVD-GCP-0039, AVD-GCP-0041, AVD-GCP-0042, AVD-GCP-0043,
#             AVD-GCP-0044, AVD-GCP-0045, AVD-GCP-0046, AVD-GCP-0048, AVD-GCP-0049, AVD-GCP-0050, AVD-GCP-0051,
#             AVD-GCP-0052, AVD-GCP-0053, AVD-GCP-0054, AVD-GCP-0055, AVD-GCP-0056, AVD-GCP-0057, AVD-GCP-0058,
#             AVD-GCP-0059, AVD-GCP-0060, AVD-GCP-0061, AVD-GCP-0062, AVD-GCP-0063, AVD-GCP-0064, AVD-GCP-0065,
#             AVD-GCP-0066, AVD-GCP-0067, AVD-GCP-0068, AVD-GIT-0001, AVD-GIT-0002, AVD-GIT-0003, AVD-GIT-0004,
#             AVD-KCV-0001, AVD-KCV-0002, AVD-KCV-0003, AVD-KCV-0004, AVD-KCV-0005, AVD-KCV-0006, AVD-KCV-0007,
#             AVD-KCV-0008, AVD-KCV-0009, AVD-KCV-0010, AVD-KCV-0011, AVD-KCV-0012, AVD-KCV-0013, AVD-KCV-0014,
#             AVD-KCV-0015, AVD-KCV-0016, AVD-KCV-0017, AVD-KCV-0018, AVD-KCV-0019, AVD-KCV-0020, AVD-KCV-0021,
#             AVD-KCV-0022, AVD-KCV-0024, AVD-KCV-0025, AVD-KCV-0026, AVD-KCV-0027, AVD-KCV-0028, AVD-KCV-0029,
#             AVD-KCV-0030, AVD-KCV-0033, AVD-KCV-0035, AVD-KCV-0036, AVD-KCV-0037, AVD-KCV-0038, AVD-KCV-0039,
#             AVD-KCV-0042, AVD-KCV-0043, AVD-KCV-0044, AVD-KCV-0045, AVD-KCV-0046, AVD-KCV-0047, AVD-KCV-0048,
#             AVD-KCV-0049, AVD-KCV-0058, AVD-KCV-0059, AVD-KCV-0060, AVD-KCV-0061, AVD-KCV-0062, AVD-KCV-0063,
#             AVD-KCV-0064, AVD-KCV-0065, AVD-KCV-0066, AVD-KCV-0067, AVD-KCV-0068, AVD-KCV-0069, AVD-KCV-0070,
#             AVD-KCV-0071, AVD-KCV-0072, AVD-KCV-0073, AVD-KCV-0074, AVD-KCV-0075, AVD-KCV-0076, AVD-KCV-0077,
#             AVD-KCV-0078, AVD-KCV-0079, AVD-KCV-0080, AVD-KCV-0081, AVD-KCV-0082, AVD-KCV-0083, AVD-KCV-0084,
#             AVD-KCV-0085, AVD-KCV-0086, AVD-KCV-0087, AVD-KCV-0088, AVD-KCV-0089, AVD-KCV-0090, AVD-KCV-0091,
#             AVD-KCV-0092, AVD-KCV-0093, AVD-KSV-0001, AVD-KSV-0002, AVD-KSV-0003, AVD-KSV-0004, AVD-KSV-0005,
#             AVD-KSV-0006, AVD-KSV-0007, AVD-KSV-0008, AVD-KSV-0009, AVD-KSV-0010, AVD-KSV-0011, AVD-KSV-0012,
#             AVD-KSV-0013, AVD-KSV-0014, AVD-KSV-0015, AVD-KSV-0016, AVD-KSV-0017, AVD-KSV-0018, AVD-KSV-0020,
#             AVD-KSV-0021, AVD-KSV-0022, AVD-KSV-0023, AVD-KSV-0024, AVD-KSV-0025, AVD-KSV-0026, AVD-KSV-0027,
#             AVD-KSV-0028, AVD-KSV-0030, AVD-KSV-0036, AVD-KSV-0037, AVD-KSV-0038, AVD-KSV-0039, AVD-KSV-0040,
#             AVD-KSV-0041, AVD-KSV-0042, AVD-KSV-0043, AVD-KSV-0044, AVD-KSV-0045, AVD-KSV-0046, AVD-KSV-0047,
#             AVD-KSV-0048, AVD-KSV-0049, AVD-KSV-0050, AVD-KSV-0051, AVD-KSV-0052, AVD-KSV-0053, AVD-KSV-0054,
#             AVD-KSV-0055, AVD-KSV-0056, AVD-KSV-01010, AVD-KSV-01011, AVD-KSV-0102, AVD-KSV-0103, AVD-KSV-0104,
#             AVD-KSV-0105, AVD-KSV-0106, AVD-KSV-0107, AVD-KSV-0108, AVD-KSV-0109, AVD-KSV-0110, AVD-KSV-0111,
#             AVD-KSV-0112, AVD-KSV-0113, AVD-KSV-0114, AVD-KSV-0115, AVD-KSV-0116, AVD-KSV-0117, AVD-KSV-0118,
#             AVD-KSV-0119, AVD-KSV-0120, AVD-KSV-0121, AVD-KSV-0122, AVD-KSV-0123, AVD-KSV-0124, AVD-KSV-0125,
#             AVD-KUBE-0001, AVD-KUBE-0002, AVD-NIF-0001, AVD-NIF-0002, AVD-NIF-0003, AVD-NIF-0004, AVD-NIF-0005,
#             AVD-NIF-0006, AVD-NIF-0007, AVD-NIF-0008, AVD-NIF-0009, AVD-NIF-0010, AVD-NIF-0011, AVD-NIF-0012,
#             AVD-NIF-0013, AVD-NIF-0014, AVD-NIF-0015, AVD-NIF-0016, AVD-NIF-0017, AVD-NIF-0018, AVD-NIF-0019,
#             AVD-NIF-0020, AVD-NIF-0021, AVD-OCI-0001, AVD-OPNSTK-0001, AVD-OPNSTK-0002, AVD-OPNSTK-0003,
#             AVD-OPNSTK-0004, AVD-OPNSTK-0005]
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
