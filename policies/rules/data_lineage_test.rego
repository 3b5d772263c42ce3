package mlpolicy_test.rules.data_lineage

import data.mlpolicy.rules.data_lineage
import data.mlpolicy_test.fixtures

law(artifacts) := fixtures.law_of({"id": "l", "type": "data_lineage", "required_artifacts": artifacts})

rules(submission, artifacts) := fixtures.rules_of(violations) if {
	violations := data_lineage.violation with input as submission
		with data.mlpolicy.law as law(artifacts)
}

test_known if rules(fixtures.submission, ["raw_data_hash", "commit"]) == set()

test_missing if {
	rules(fixtures.submission, ["raw_data_hash", "feature_store_version"]) == {"data_lineage.missing_artifact"}
	blank := fixtures.replaced("/evidence/lineage/facts/artifacts/commit/value", " ")
	rules(blank, ["commit"]) == {"data_lineage.missing_artifact"}
	rules(fixtures.replaced("/evidence/lineage/status", "missing"), ["commit"]) == {"data_lineage.missing_artifact"}
}

test_warnings if {
	dirty := fixtures.replaced("/evidence/lineage/facts/git/dirty", true)
	warnings := data_lineage.warning with input as dirty with data.mlpolicy.law as law(["commit", "raw_data_hash"])
	{warning.values.artifact | some warning in warnings} == {"commit"}
	fixtures.rules_of(warnings) == {"data_lineage.uncommitted_changes"}
	disputed := fixtures.replaced("/evidence/lineage/facts/conflicts", ["a", "b"])
	conflicts := data_lineage.warning with input as disputed with data.mlpolicy.law as law(["commit"])
	{warning.values.conflict | some warning in conflicts} == {"a", "b"}
	fixtures.rules_of(conflicts) == {"data_lineage.conflict"}
	clean := data_lineage.warning with input as fixtures.submission with data.mlpolicy.law as law(["commit"])
	clean == set()
}

test_malformed if {
	every wrong in [null, [], "commit", [""]] {
		data_lineage.malformed == {{"policy": "l", "key": "required_artifacts"}} with data.mlpolicy.law as law(wrong)
		data_lineage.judged == set() with data.mlpolicy.law as law(wrong)
	}
	missing := fixtures.law_of({"id": "l", "type": "data_lineage"})
	data_lineage.malformed == {{"policy": "l", "key": "required_artifacts"}} with data.mlpolicy.law as missing
}

test_judged if data_lineage.judged == {"l"} with data.mlpolicy.law as law(["commit"])
