# METADATA
# title: Supply chain
# description: >-
#   It is known what the image is made of and who made it. The evidence `image` has the facts `sbom: {format, sha256}`
#   (the software bill of materials) and `signature: {verified, identity}` (who signed the image, once that was verified).
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Govern 6.1
#   parameters:
#     type: object
#     properties:
#       sbom:
#         type: boolean
#         default: true
#         description: Whether there must be a software bill of materials.
#       signers:
#         type: array
#         minItems: 1
#         description: Who may have signed the image; it need not be signed when nothing is said.
#         items:
#           type: string
#           minLength: 1
package mlpolicy.rules.supply_chain

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

wrong_keys(item) := union({
	law.wrong_keys(item, {"sbom", "signers"}),
	{"sbom" | not is_boolean(object.get(item, "sbom", true))},
	{"signers" | not law.is_texts(object.get(item, "signers", ["any"]))},
})

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("supply_chain")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("supply_chain"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

facts := input.evidence.image.facts if evidence.usable("image", {"measured"})

# METADATA
# title: there is no bill of materials
# description: A software bill of materials lists what is in the image.
# custom:
#   rule: supply_chain.no_sbom
#   severity: medium
#   message: no software bill of materials with a sha256 is in the evidence
#   remedy: let the scanner of the image write one, such as CycloneDX or SPDX
#   reads: [input.evidence.image.facts.sbom.sha256]
violation contains law.finding("supply_chain.no_sbom", item, "medium", "sbom", {}) if {
	some item in items
	object.get(item, "sbom", true)
	not has_sbom
}

has_sbom if {
	law.is_text(facts.sbom.format)
	evidence.is_sha256(facts.sbom.sha256)
}

# METADATA
# title: the image is not signed by who may sign it
# description: The image bears a verified signature of one of those whom the law names.
# custom:
#   rule: supply_chain.not_signed
#   severity: high
#   message: the image has no verified signature of one of those who may sign it
#   remedy: "sign the image by its digest (cosign sign) as one of {values[signers]}, and verify it before the gate"
#   reads: [input.evidence.image.facts.signature.verified, input.evidence.image.facts.signature.identity]
violation contains law.finding("supply_chain.not_signed", item, "high", "signers", {"values": values}) if {
	some item in items
	"signers" in object.keys(item)
	not signed_for(item)
	values := {"signers": item.signers}
}

signed_for(item) if {
	facts.signature.verified == true
	facts.signature.identity in item.signers
}
