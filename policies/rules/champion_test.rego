package mlpolicy_test.rules.champion

import data.mlpolicy.rules.champion
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "c", "type": "champion", "metric": "accuracy", "margin": 0.04}, rest)

only(rest) := object.union({"id": "c", "type": "champion"}, rest)

# Literals, because a quotient that OPA computes is not the nearest number to the decimal it stands for.
difference(metric, value, ends, relative, rest) := fixtures.measured(
	concat("", ["champion/", metric, "_difference"]),
	value,
	object.union(
		{
			"n": 204, "positives": 102, "negatives": 102,
			"interval": {"low": ends[0], "high": ends[1]},
			"method": {"challenger": 0.8, "champion": 0.84, "relative": {
				"value": relative[0],
				"interval": {"low": relative[1], "high": relative[2]},
			}},
		},
		rest,
	),
)

group(race, n, value) := difference("accuracy", value, [-1, 1], [value, -1, 1], {
	"slice": {"race": race},
	"n": n, "positives": n / 2, "negatives": n / 2,
})

measurements := [
	difference("accuracy", -0.04, [-0.08, 0], [-0.05, -0.1, 0], {}),
	group("a", 100, 0.01),
	group("b", 100, -0.02),
	group("c", 4, -0.5),
	difference("log_loss", 0.04, [-0.02, 0.1], [0.05, -0.025, 0.125], {}),
	difference("selection_rate", 0.04, [-0.02, 0.1], [0.05, -0.025, 0.125], {}),
	difference("f1", 0.04, [0.02, 0.1], [0.05, 0.025, 0.125], {}),
]

submission := json.patch(fixtures.submission, [{
	"op": "add", "path": "/evidence/champion",
	"value": fixtures.evidence("champion", "measured", {"groups": {"race": ["a", "b", "c"]}}, measurements),
}])

changed(op, path, value) := json.patch(submission, [{
	"op": op, "path": concat("", ["/evidence/champion", path]), "value": value,
}])

removed(path) := json.patch(submission, [{"op": "remove", "path": concat("", ["/evidence/champion", path])}])

found(input_, law_item) := violations if {
	violations := champion.violation with input as input_ with data.mlpolicy.law as fixtures.law_of(law_item)
}

rules(input_, law_item) := fixtures.rules_of(found(input_, law_item))

test_margin_is_inclusive if {
	rules(submission, item({})) == set()
	rules(submission, item({"margin": 0.0399})) == {"champion.worse"}
	rules(submission, item({"margin": 0})) == {"champion.worse"}
}

test_finding if {
	some finding in found(submission, item({"margin": 0.02}))
	finding.key == "margin"
	finding.limit == -0.02
	finding.value == -0.04
	finding.interval == [-0.08, 0]
	finding.values == {
		"metric": "accuracy", "challenger": 0.8, "champion": 0.84,
		"what": "difference", "least": "at least", "side": "", "is": "is worse than",
	}
}

test_margin_for_a_loss if {
	rules(submission, item({"metric": "log_loss"})) == set()
	rules(submission, item({"metric": "log_loss", "margin": 0.03})) == {"champion.worse"}
	some finding in found(submission, item({"metric": "log_loss", "margin": 0.03}))
	finding.limit == 0.03
	finding.values.least == "at most"
}

test_margin_for_what_has_no_direction if {
	rules(submission, item({"metric": "selection_rate"})) == set()
	rules(submission, item({"metric": "selection_rate", "margin": 0.03})) == {"champion.worse"}
	lower := changed("replace", "/measurements/5/value", -0.05)
	some finding in found(lower, item({"metric": "selection_rate"}))
	finding.values.is == "is too far from"
}

test_improvement if {
	rules(submission, only({"metric": "f1", "min_improvement": 0.04})) == set()
	rules(submission, only({"metric": "f1", "min_improvement": 0.05})) == {"champion.no_improvement"}
	rules(submission, only({"metric": "f1", "min_improvement": 0.03, "decide_on": "bound"})) == {"champion.no_improvement"}
	rules(submission, only({"metric": "f1", "min_improvement": 0.02, "decide_on": "bound"})) == set()
	rules(submission, only({"metric": "log_loss", "min_improvement": 0})) == {"champion.no_improvement"}
}

test_relative if {
	rules(submission, only({"metric": "f1", "min_relative_improvement": 0.05})) == set()
	rules(submission, only({"metric": "f1", "min_relative_improvement": 0.051})) == {"champion.no_improvement"}
	rules(submission, only({"metric": "accuracy", "relative_margin": 0.05})) == set()
	rules(submission, only({"metric": "accuracy", "relative_margin": 0.04})) == {"champion.worse"}
	some finding in found(submission, only({"metric": "accuracy", "relative_margin": 0.04}))
	finding.value == -0.05
	finding.interval == [-0.1, 0]
	finding.values.what == "relative difference"
}

test_all_that_is_stated_is_demanded if {
	both := only({"metric": "accuracy", "margin": 0.1, "relative_margin": 0.01, "min_improvement": 0.01})
	rules(submission, both) == {"champion.worse", "champion.no_improvement"}
}

test_bound if {
	rules(submission, item({"decide_on": "bound"})) == {"champion.worse"}
	{finding.values.is | some finding in found(submission, item({"decide_on": "bound"}))} == {"may be worse than"}
	rules(submission, item({"decide_on": "bound", "margin": 0.08})) == set()
	rules(submission, item({"decide_on": "estimate"})) == set()
	rules(submission, item({"metric": "log_loss", "margin": 0.1, "decide_on": "bound"})) == set()
	rules(submission, item({"metric": "log_loss", "margin": 0.09, "decide_on": "bound"})) == {"champion.worse"}
	rules(submission, only({"metric": "accuracy", "relative_margin": 0.1, "decide_on": "bound"})) == set()
}

test_no_interval if {
	bound := item({"decide_on": "bound", "margin": 1})
	rules(removed("/measurements/0/interval"), bound) == {"champion.no_basis"}
	rules(changed("replace", "/measurements/0/interval/low", 0), bound) == {"champion.no_basis"}
	rules(removed("/measurements/0/interval"), item({})) == set()
	relative := only({"metric": "accuracy", "relative_margin": 1, "decide_on": "bound"})
	rules(removed("/measurements/0/method/relative/interval"), relative) == {"champion.no_basis"}
}

test_no_baseline[path] if {
	some path, value in {"/measurements/0/method/relative/value": null, "/measurements/0/method": "text"}
	relative := only({"metric": "accuracy", "relative_margin": 1})
	{[finding.rule, finding.values.reason] | some finding in found(changed("replace", path, value), relative)} == {[
		"champion.no_basis",
		"the champion's value is 0 or unknown, so that there is no relative difference",
	]}
}

test_what_is_only_shown_may_be_missing if {
	rules(removed("/measurements/0/method"), item({"margin": 0})) == {"champion.worse"}
	rules(changed("replace", "/measurements/0/method", "text"), item({"margin": 0})) == {"champion.worse"}
}

test_not_measured if {
	rules(submission, item({"metric": "recall"})) == {"champion.not_measured"}
	rules(fixtures.submission, item({})) == {"champion.not_measured"}
	rules(changed("replace", "/status", "missing"), item({})) == {"champion.not_measured"}
	rules(changed("add", "/measurements/-", measurements[0]), item({})) == {"champion.not_measured"}
}

test_groups if {
	sliced := item({"slices": ["race"]})
	rules(submission, sliced) == set()
	rules(changed("replace", "/measurements/2/value", -0.05), sliced) == {"champion.worse"}
	rules(removed("/measurements/2"), sliced) == {"champion.no_groups"}
	rules(removed("/measurements/3"), sliced) == {"champion.no_groups"}
	rules(removed("/facts"), sliced) == {"champion.no_groups"}
	rules(changed("replace", "/measurements/2/slice/race", "a"), sliced) == {"champion.no_groups"}
	rules(submission, item({"slices": ["sex"]})) == {"champion.no_groups"}
	rules(removed("/measurements/1/positives"), sliced) == {"champion.group_not_measured"}
	rules(changed("replace", "/measurements/1/value", null), sliced) == {"champion.group_not_measured"}
}

test_small_groups_are_shown if {
	law := fixtures.law_of(item({"slices": ["race"]}))
	lacks := champion.insufficient with input as submission with data.mlpolicy.law as law
	{lack.values.groups | some lack in lacks} == {[{"group": {"race": "c"}, "n": 4}]}
	fixtures.rules_of(lacks) == {"champion.groups_not_judged"}
	all_count := fixtures.stating(law, {"cases": 1, "positives": 1, "negatives": 1})
	champion.insufficient == set() with input as submission with data.mlpolicy.law as all_count
}

test_some_group_has_to_be_judged if {
	law := fixtures.stating(fixtures.law_of(item({"slices": ["race"]})), {"cases": 101})
	violations := champion.violation with input as submission with data.mlpolicy.law as law
	fixtures.rules_of(violations) == {"champion.no_group_judged"}
}

test_malformed[key] if {
	some key, wrong in {
		"metric": 1, "margin": -0.1, "relative_margin": "5%", "min_improvement": null, "min_relative_improvement": -1,
		"decide_on": "luck", "slices": [], "margn": 1,
	}
	law := fixtures.law_of(item({key: wrong}))
	champion.malformed == {{"policy": "c", "key": key}} with data.mlpolicy.law as law
	champion.judged == set() with data.mlpolicy.law as law
}

test_nothing_is_demanded if {
	law := fixtures.law_of(only({"metric": "accuracy"}))
	champion.malformed == {{"policy": "c", "key": "margin"}} with data.mlpolicy.law as law
}

test_no_improvement_of_what_has_no_direction if {
	law := fixtures.law_of(item({"metric": "selection_rate", "min_improvement": 0.1}))
	champion.malformed == {{"policy": "c", "key": "min_improvement"}} with data.mlpolicy.law as law
}

test_judged if champion.judged == {"c"} with data.mlpolicy.law as fixtures.law_of(item({}))
