# METADATA
# title: Explainability
# description: The model's predictions have been explained, and the explanation is kept.
# custom:
#   regulations:
#     - EU AI Act Art. 13
#     - ECOA / Regulation B
#     - GDPR Art. 22
#     - NIST AI RMF Measure 2.9
#   parameters:
#     type: object
#     properties:
#       requirement:
#         enum: [mandatory, optional]
#         default: mandatory
#         description: Whether a lack is a violation or a warning.
#       technique:
#         type: string
#         minLength: 1
#         description: The technique, such as SHAP; letter case does not matter.
#       report_format:
#         type: string
#         minLength: 1
#         description: The format of the report, such as html; letter case does not matter.
package mlpolicy.rules.explainability

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

wrong_keys(item) := union({
	law.wrong_keys(item, {"requirement", "technique", "report_format"}),
	{"requirement" | not law.optional_choice(item, "requirement", ["mandatory", "optional"])},
	{key | some key in {"technique", "report_format"}; not law.optional_text(item, key)},
})

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("explainability")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("explainability"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

is_optional(item) if item.requirement == "optional"

violation contains lack.finding if {
	some lack in lacks
	not is_optional(lack.item)
}

warning contains lack.finding if {
	some lack in lacks
	is_optional(lack.item)
}

facts := input.evidence.explainability.facts if is_object(input.evidence.explainability.facts)

else := {}

# An explanation made elsewhere is declared; one made here has measured the importance of a feature.
explained if evidence.usable("explainability", {"declared"})

explained if {
	evidence.usable("explainability", {"measured"})
	some importance in evidence.measurements("explainability")
	evidence.is_measured(importance)
}

# METADATA
# title: the model is not explained
# description: There is an explanation of the model's predictions.
# custom:
#   rule: explainability.not_explained
#   severity: high
#   message: "no explanation of the model: {values[reason]}"
#   remedy: "run `ml-compliance measure explainability`, or name a report made elsewhere in compliance.yaml"
#   reads: [input.evidence.explainability.status, "input.evidence.explainability.measurements[]"]
lacks contains {"item": item, "finding": finding} if {
	some item in items
	not explained
	reason := evidence.reason("explainability", [])
	finding := law.finding("explainability.not_explained", item, "high", "requirement", {"values": {"reason": reason}})
}

# METADATA
# title: the model is explained by another technique
# description: The explanation is made with the technique that the law names.
# custom:
#   rule: explainability.other_technique
#   severity: high
#   message: "the model is explained by {values[technique]}, the law asks for {values[required]}"
#   remedy: "explain the model with {values[required]} and run `ml-compliance measure explainability`"
#   reads: [input.evidence.explainability.facts.technique]
lacks contains {"item": item, "finding": finding} if {
	some item in items
	"technique" in object.keys(item)
	not is_technique(item.technique)
	values := {"technique": object.get(facts, "technique", null), "required": item.technique}
	finding := law.finding("explainability.other_technique", item, "high", "technique", {"values": values})
}

is_technique(technique) if same_text(facts.technique, technique)

same_text(one, other) if {
	is_string(one)
	lower(one) == lower(other)
}

# METADATA
# title: there is no report that explains the model
# description: The explanation is kept as a report of the format that the law names, known by its sha256.
# custom:
#   rule: explainability.no_report
#   severity: high
#   message: "no {values[required]} report with a sha256 is in the evidence (its format is {values[format]})"
#   remedy: "run `ml-compliance measure explainability`, which writes explainability.html"
#   reads: [input.evidence.explainability.facts.report]
lacks contains {"item": item, "finding": finding} if {
	some item in items
	"report_format" in object.keys(item)
	not has_report(item.report_format)
	values := {"format": object.get(facts, ["report", "format"], null), "required": item.report_format}
	finding := law.finding("explainability.no_report", item, "high", "report_format", {"values": values})
}

has_report(format) if {
	same_text(facts.report.format, format)
	evidence.is_sha256(facts.report.sha256)
}
