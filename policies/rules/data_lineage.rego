# METADATA
# title: Data lineage
# description: It is known what the model was made from.
# custom:
#   regulations:
#     - EU AI Act Art. 10
#     - EU AI Act Art. 12
#     - EU AI Act Annex IV 2
#     - ISO/IEC 42001 A.7.5
#   parameters:
#     type: object
#     required: [required_artifacts]
#     properties:
#       required_artifacts:
#         type: array
#         minItems: 1
#         description: Names of what must be known, such as raw_data_hash or processing_code_commit.
#         items:
#           type: string
#           minLength: 1
package mlpolicy.rules.data_lineage

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

wrong_keys(item) := union({
	law.wrong_keys(item, {"required_artifacts"}),
	{"required_artifacts" | not law.has_texts(item, "required_artifacts")},
})

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("data_lineage")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("data_lineage"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

facts := input.evidence.lineage.facts if evidence.usable("lineage", {"measured", "declared"})

# METADATA
# title: "{values[artifact]} is missing"
# description: Each artifact that the law names is known by its value.
# custom:
#   rule: data_lineage.missing_artifact
#   severity: high
#   message: "the lineage does not say what `{values[artifact]}` is"
#   remedy: "log it with the training run: mlflow.set_tag(\"{values[artifact]}\", …)"
#   reads: ["input.evidence.lineage.facts.artifacts[].value"]
violation contains law.finding("data_lineage.missing_artifact", item, "high", "required_artifacts", rest) if {
	some item in items
	some artifact in item.required_artifacts
	not is_known(artifact)
	rest := {"values": {"artifact": artifact}}
}

# METADATA
# title: the lineage contradicts itself
# description: What two sources say about the lineage agrees.
# custom:
#   rule: data_lineage.conflict
#   severity: medium
#   message: "{values[conflict]}"
#   remedy: find out which of the two is right, and correct the other
#   reads: ["input.evidence.lineage.facts.conflicts[]"]
warning contains law.finding("data_lineage.conflict", item, "medium", "required_artifacts", rest) if {
	some item in items
	some conflict in facts.conflicts
	rest := {"values": {"conflict": conflict}}
}

is_known(artifact) if law.is_text(facts.artifacts[artifact].value)

# METADATA
# title: the code has uncommitted changes
# description: A commit tells which code was used only if nothing was changed after it.
# custom:
#   rule: data_lineage.uncommitted_changes
#   severity: low
#   message: "`{values[artifact]}` comes from git, and the working tree has uncommitted changes"
#   remedy: commit the changes and run the gate again
#   reads: [input.evidence.lineage.facts.git.dirty]
warning contains law.finding("data_lineage.uncommitted_changes", item, "low", "required_artifacts", rest) if {
	some item in items
	some artifact in item.required_artifacts
	facts.artifacts[artifact].source == "git"
	facts.git.dirty == true
	rest := {"values": {"artifact": artifact}}
}
