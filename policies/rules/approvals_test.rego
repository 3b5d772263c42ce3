package mlpolicy_test.rules.approvals

import data.mlpolicy.rules.approvals
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "a", "type": "approvals"}, rest)

approval(rest) := object.union(
	{
		"model": "loan", "version": "3", "approver": "ada@bank.example", "role": "risk",
		"time": "2026-11-01T00:00:00Z", "expires": "2026-12-01T00:00:00Z",
	},
	rest,
)

other(rest) := approval(object.union({"approver": "bob", "role": "Owner"}, rest))

facts(list) := {
	"approvals": list,
	"trainers": [{"name": "Eve@bank.example", "source": "git"}],
	"trainer_count": 1,
	"model": {"name": "loan", "version": "3", "digest": "d"},
}

submission(content) := json.patch(fixtures.submission, [
	{"op": "add", "path": "/created", "value": "2026-11-20T00:00:00Z"},
	{"op": "add", "path": "/evidence/approvals", "value": fixtures.evidence("approvals", "declared", content, [])},
])

rules(content, rest) := fixtures.rules_of(violations) if {
	violations := approvals.violation with input as submission(content)
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

ignored(content, rest) := {[lack.values.approver, lack.values.reason] | some lack in warnings} if {
	warnings := approvals.warning with input as submission(content)
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

two := facts([approval({}), other({})])

test_what_is_ignored_is_said if {
	content := submission(facts([approval({}), other({"version": "2"})]))
	warnings := approvals.warning with input as content with data.mlpolicy.law as fixtures.law_of(item({}))
	fixtures.rules_of(warnings) == {"approvals.ignored"}
}

test_two_people if {
	rules(two, {}) == set()
	rules(two, {"roles": ["RISK", "owner"]}) == set()
	rules(two, {"approvers": ["Ada@bank.example", "bob"]}) == set()
	ignored(two, {}) == set()
	rules(two, {"required": 3}) == {"approvals.too_few"}
	rules(facts([approval({})]), {"required": 1}) == set()
}

test_one_person_twice if rules(facts([approval({}), approval({"approver": " ADA"})]), {}) == {"approvals.too_few"}

test_role_missing if rules(two, {"roles": ["legal"]}) == {"approvals.role_missing"}

test_what_does_not_count[reason] if {
	some reason, wrong in {
		"it is incomplete": {"time": "yesterday"},
		"it is for another model or version": {"version": "2"},
		"it is not yet given": {"time": "2026-11-20T00:00:01Z"},
		"it has expired": {"expires": "2026-11-20T00:00:00Z"},
		"this person trained the model": {"approver": "eve"},
	}
	content := facts([approval({}), other(wrong)])
	rules(content, {}) == {"approvals.too_few"}
	ignored(content, {}) == {[other(wrong).approver, reason]}
}

test_another_model_or_digest if {
	every wrong in [{"model": "other"}, {"digest": "d"}, {"version": null}] {
		rules(facts([approval({}), other(wrong)]), {}) == {"approvals.too_few"}
	}
	rules(facts([approval({}), object.remove(other({"digest": "e"}), ["version"])]), {}) == {"approvals.too_few"}
	by_digest := object.union(object.remove(other({}), ["version"]), {"digest": "d"})
	rules(facts([approval({}), by_digest]), {}) == set()
	rules(facts([approval({}), object.remove(other({}), ["version"])]), {}) == {"approvals.too_few"}
}

test_incomplete if ignored(facts([approval({}), 7]), {}) == {["somebody", "it is incomplete"]}

test_who_may_approve if {
	rules(two, {"approvers": ["ada@bank.example"]}) == {"approvals.too_few"}
	ignored(two, {"approvers": ["ada@bank.example"]}) == {["bob", "this person may not approve"]}
}

test_trainer if {
	trained := facts([approval({}), other({"approver": "eve"})])
	rules(trained, {"trainer_may_approve": true}) == set()
	lost := json.patch(two, [{"op": "replace", "path": "/trainer_count", "value": 2}])
	rules(lost, {}) == {"approvals.trainer_unknown"}
	every unknown in [null, [], [{}], "eve", [{"name": ""}]] {
		content := json.patch(two, [{"op": "replace", "path": "/trainers", "value": unknown}])
		rules(content, {}) == {"approvals.trainer_unknown"}
		rules(content, {"trainer_may_approve": true}) == set()
	}
}

test_missing if {
	every wrong in [null, {}, "ada", true] {
		rules(facts(wrong), {}) == {"approvals.missing"}
	}
	violations := approvals.violation with input as fixtures.submission
		with data.mlpolicy.law as fixtures.law_of(item({}))
	{finding.values.reason | some finding in violations} == {"there is no evidence of this kind"}
}

test_no_moment_to_judge_at if {
	late := object.remove(submission(two), ["created"])
	violations := approvals.violation with input as late with data.mlpolicy.law as fixtures.law_of(item({}))
	fixtures.rules_of(violations) == {"approvals.too_few"}
}

test_malformed[key] if {
	some key, wrong in {"required": 0, "roles": [], "approvers": "ada", "trainer_may_approve": "no", "role": 1}
	law := fixtures.law_of(item({key: wrong}))
	approvals.malformed == {{"policy": "a", "key": key}} with data.mlpolicy.law as law
	approvals.judged == set() with data.mlpolicy.law as law
}

test_judged if approvals.judged == {"a"} with data.mlpolicy.law as fixtures.law_of(item({}))
