package mlpolicy_test.waivers

import data.mlpolicy_test.fixtures

base := {
	"rule": "performance.too_low",
	"policy": "acc",
	"model": "loan",
	"slice": {},
	"across": [],
	"reason": "new product",
	"owner": "a",
	"approver": "b",
	"created": "2026-11-01",
	"expires": "2026-12-01",
	"ceiling": 0.85,
	"coverage": {"slice": 0, "across": 0},
	"location": {"file": "waivers.yaml", "line": 2},
}

accuracy := {"id": "acc", "type": "performance", "metric": "accuracy", "minimum": 0.95}

judge_all(waivers, items, terms) := answer if {
	submission := json.patch(fixtures.submission, [
		{"op": "add", "path": "/waivers", "value": waivers},
		{"op": "add", "path": "/created", "value": "2026-11-23T10:00:00Z"},
		{"op": "add", "path": "/model/version", "value": "3"},
	])
	answer := data.mlpolicy.deploy with input as submission
		with data.mlpolicy.law as {"digest": "sha256:0", "project": "p", "waivers": terms, "policies": items}
}

judge(changes) := judge_all([object.union(object.remove(base, object.keys(changes)), changes)], [accuracy], {})

refused(changes) := rules if {
	answer := judge(changes)
	answer.verdict == "denied"
	answer.waived == set()
	fixtures.rules_of(answer.violation) == {"performance.too_low"}
	rules := fixtures.rules_of(answer.warning)
}

test_waived_and_still_shown if {
	answer := judge({})
	answer.allow
	answer.violation == set()
	answer.warning == set()
	some finding in answer.waived
	finding.rule == "performance.too_low"
	finding.waiver.reason == "new product"
}

test_a_version if {
	judge({"model": "loan/3"}).allow
	refused({"model": "loan/2"}) == {"waivers.other_model"}
	refused({"model": "other"}) == {"waivers.other_model"}
}

test_ceiling if {
	judge({"ceiling": 0.9}).allow
	refused({"ceiling": 0.91}) == {"waivers.over_ceiling"}
	refused({"ceiling": null}) == {"waivers.over_ceiling"}
	refused({"ceiling": "0.1"}) == {"waivers.malformed"}
}

test_approval if {
	refused({"approver": null}) == {"waivers.unapproved"}
	refused({"approver": " A"}) == {"waivers.unapproved"}
	judge_all([base], [accuracy], {"approvers": ["b"]}).allow
	not judge_all([base], [accuracy], {"approvers": ["c"]}).allow
}

why(changes) := {finding.values.why | some finding in judge(changes).warning}

test_time if {
	judge({"created": "2026-11-23", "expires": "2026-11-23"}).allow
	refused({"expires": "2026-11-22"}) == {"waivers.not_in_force"}
	why({"expires": "2026-11-22"}) == {"it has expired"}
	why({"created": "2026-11-24"}) == {"it has not begun"}
	why({"expires": "2027-01-31"}) == {"it lasts longer than the law allows"}
	judge({"expires": "2027-01-30"}).allow
	judge_all([base], [accuracy], {"max_days": 30}).allow
	not judge_all([base], [accuracy], {"max_days": 29}).allow
	undated := json.patch(fixtures.submission, [{"op": "add", "path": "/waivers", "value": [base]}])
	answer := data.mlpolicy.deploy with input as undated
		with data.mlpolicy.law as object.union(fixtures.law_of(accuracy), {"waivers": {}})
	{finding.values.why | some finding in answer.warning} == {"the submission does not say when it was made"}
	not answer.allow
}

test_malformed if {
	every changes in [
		{"owner": " "}, {"reason": null}, {"model": 7}, {"created": "01.11.2026"}, {"coverage": {"slice": 1, "across": 0}},
		{"slice": null}, {"across": 7}, {"location": {"file": "waivers.yaml"}}, {"location": {"line": 1}},
	] {
		refused(changes) == {"waivers.malformed"}
	}
	every waivers in [7, "text", [7], [null], {}, null] {
		fixtures.rules_of(judge_all(waivers, [accuracy], {}).warning) == {"waivers.malformed"}
	}
}

test_too_broad if {
	every changes in [{"rule": "*"}, {"rule": "performance.*"}, {"rule": ""}, {"policy": null}, {"policy": "*"}] {
		refused(changes) == {"waivers.too_broad"}
	}
}

test_law_without_waivers if {
	answer := judge_all([base], [accuracy], null)
	not answer.allow
	"law.malformed" in fixtures.rules_of(answer.violation)
	fixtures.rules_of(answer.warning) == {"waivers.not_allowed"}
	every terms in [[], {"max_days": 0}, {"max_days": "9"}, {"approvers": []}, {"approvers": "b"}, {"days": 1}] {
		"law.malformed" in fixtures.rules_of(judge_all([], [accuracy], terms).violation)
	}
}

test_slice if {
	item := object.union(accuracy, {"minimum": 0.85, "slices": ["race"]})
	slice := {"slice": {"race": "a"}, "ceiling": 0.8, "coverage": {"slice": 1, "across": 0}}
	named := object.union(base, slice)
	judge_all([named], [item], {}).allow
	every waiver in [
		object.union(base, {"ceiling": 0.8}),
		object.union(named, {"slice": {"race": "b"}}),
	] {
		answer := judge_all([waiver], [item], {})
		not answer.allow
		{finding.values.why | some finding in answer.warning} == {"the violation is about a slice that it does not name"}
	}
	any := {"slice": "any", "across": "any", "ceiling": 0.8, "coverage": {"slice": "any", "across": "any"}}
	judge_all([object.union(base, any)], [item], {}).allow
}

test_across_and_higher_is_worse if {
	item := {
		"id": "acc", "type": "fairness", "metric": "demographic_parity_difference", "threshold": 0.1,
		"sensitive_attributes": ["race"],
	}
	across := {"rule": "fairness.limit_exceeded", "across": ["race"], "coverage": {"slice": 0, "across": 1}}
	waiver := object.union(base, across)
	judge_all([object.union(waiver, {"ceiling": 0.2})], [item], {}).allow
	not judge_all([object.union(waiver, {"ceiling": 0.19})], [item], {}).allow
	bound := object.union(item, {"decide_on": "bound"})
	judge_all([object.union(waiver, {"ceiling": 0.3})], [bound], {}).allow
	not judge_all([object.union(waiver, {"ceiling": 0.29})], [bound], {}).allow
}

test_a_ceiling_holds_in_the_direction_in_which_a_number_becomes_worse if {
	finding := {"value": -0.2, "limit": 0.1, "policy": "c"}
	every worse, ceilings in {
		"higher": {"kept": -0.2, "missed": -0.21},
		"lower": {"kept": -0.2, "missed": -0.19},
		"further": {"kept": 0.2, "missed": 0.19},
	} {
		stated := object.union(finding, {"measurement": "m", "worse": worse})
		data.mlpolicy.waivers.bearable(stated, {"ceiling": ceilings.kept})
		not data.mlpolicy.waivers.bearable(stated, {"ceiling": ceilings.missed})
	}
	unstated := object.union(finding, {"measurement": "m"})
	not data.mlpolicy.waivers.bearable(unstated, {"ceiling": 1})
}

test_a_fact if {
	item := {"id": "acc", "type": "data_lineage", "required_artifacts": ["feature_store"]}
	artifact := {"slice": {"artifact": "feature_store"}, "coverage": {"slice": 1, "across": 0}}
	waiver := object.union(base, {"rule": "data_lineage.missing_artifact", "ceiling": null})
	judge_all([object.union(waiver, artifact)], [item], {}).allow
	not judge_all([waiver], [item], {}).allow
}

test_anomaly if {
	item := {"id": "acc", "type": "data_validation", "max_failed_expectations": 2}
	anomaly := {"rule": "data_validation.schema_anomaly", "ceiling": null, "slice": {"column": "typur"}}
	waiver := object.union(base, object.union(anomaly, {"coverage": {"slice": 1, "across": 0}}))
	judge_all([waiver], [item], {}).allow
	not judge_all([], [item], {}).allow
}

test_what_was_not_measured_is_never_waived if {
	item := object.union(accuracy, {"metric": "roc_auc"})
	answer := judge_all([object.union(base, {"rule": "performance.not_measured"})], [item], {})
	not answer.allow
	fixtures.rules_of(answer.warning) == {"waivers.not_waivable"}
}

test_the_submission_and_the_law_are_never_waived if {
	answer := judge_all([object.union(base, {"rule": "law.not_judged"})], [{"id": "acc", "type": "horoscope"}], {})
	not answer.allow
	answer.waived == set()
	fixtures.rules_of(answer.warning) == {"waivers.unused"}
}

test_unused if {
	answer := judge_all([base], [object.union(accuracy, {"minimum": 0.5})], {})
	answer.allow
	{finding.values.why | some finding in answer.warning} == {"the model does not violate it"}
}

test_two_for_the_same if count(judge_all([base, base], [accuracy], {}).waived) == 1
