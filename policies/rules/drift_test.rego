package mlpolicy_test.rules.drift

import data.mlpolicy.rules.drift
import data.mlpolicy_test.fixtures

of(metric, column, value, method) := fixtures.measured(concat("/", ["drift", metric]), value, {
	"slice": {"column": column},
	"n": 200,
	"method": object.union({"reference_rows": 100}, method),
})

pins := {"floor": 0.0001, "log": "e"}

found := fixtures.evidence(
	"drift", "measured",
	{
		"columns": {"age": {"kind": "number"}, "sex": {"kind": "text"}},
		"compared": 2,
		"unmatched": {},
		"unmatched_columns": 0,
		"left_out": {},
		"left_out_columns": 0,
	},
	[
		of("psi", "age", 0.2, object.union(pins, {"bins": 10})),
		of("psi", "sex", 0.05, pins),
		of("jensen_shannon", "age", 0.1, {"bins": 10, "log": "e"}),
		of("missing_share", "age", 0, {}),
		of("missing_share", "sex", 0.3, {}),
		of("wasserstein", "age", 2, {}),
		{"name": "drift/psi", "status": "not_estimable", "value": null, "slice": {"column": "name"}, "reason": "so many"},
	],
)

submission := fixtures.added("/evidence/drift", found)

changed(op, path, value) := json.patch(submission, [{"op": op, "path": concat("", ["/evidence/drift", path]), "value": value}])

item(rest) := object.union({"id": "d", "type": "drift", "metric": "psi", "threshold": 0.2}, rest)

rules(input_, rest) := fixtures.rules_of(violations) if {
	violations := drift.violation with input as input_ with data.mlpolicy.law as fixtures.law_of(item(rest))
}

test_limit_is_inclusive if {
	rules(submission, {}) == set()
	rules(submission, {"threshold": 0.19}) == {"drift.limit_exceeded"}
	rules(submission, {"threshold": 0.19, "columns": ["sex"]}) == set()
	rules(submission, {"metric": "missing_share"}) == {"drift.limit_exceeded"}
	rules(submission, {"metric": "wasserstein", "threshold": 2}) == set()
	rules(submission, {"metric": "wasserstein", "threshold": 1}) == {"drift.limit_exceeded"}
}

test_worst_first if {
	law := fixtures.law_of(item({"threshold": 0.01}))
	some violation in drift.violation with input as submission with data.mlpolicy.law as law
	violation.value == 0.2
	violation.slice == {"column": "age"}
	violation.values.count == 2
	violation.values.more == ""
	[place.group.column | some place in violation.values.worst] == ["age", "sex"]
}

test_more_than_are_named if {
	names := [concat("", ["c", format_int(number, 10)]) | some number in numbers.range(1, 7)]
	many := object.union(found, {
		"facts": {"columns": {name: {"kind": "text"} | some name in names}, "compared": 7, "unmatched": {}, "unmatched_columns": 0, "left_out": {}, "left_out_columns": 0},
		"measurements": [of("psi", name, 1, pins) | some name in names],
	})
	law := fixtures.law_of(item({}))
	whole := fixtures.added("/evidence/drift", json.patch(many, [{"op": "replace", "path": "/facts/columns", "value": {name: {"kind": "text"} | some name in names}}]))
	some violation in drift.violation with input as whole with data.mlpolicy.law as law
	violation.rule == "drift.limit_exceeded"
	violation.values.more == " and others"
	count(violation.values.worst) == 5
}

test_a_listed_column_has_to_be_measured[name] if {
	some name, reason in {"name": "so many", "absent": "it is not among the measurements"}
	law := fixtures.law_of(item({"columns": ["age", name]}))
	violations := drift.violation with input as submission with data.mlpolicy.law as law
	fixtures.rules_of(violations) == {"drift.not_measured"}
	{violation.values.columns | some violation in violations} == {[{"column": name, "reason": reason}]}
}

test_a_compared_column_has_to_be_measured if {
	rules(submission, {"metric": "jensen_shannon"}) == {"drift.not_measured"}
	rules(submission, {"metric": "kolmogorov_smirnov"}) == {"drift.not_measured"}
	rules(changed("replace", "/measurements/0/value", -1), {}) == {"drift.not_measured"}
}

test_too_few_rows[path] if {
	some path in ["/measurements/0/n", "/measurements/0/method/reference_rows"]
	rules(changed("replace", path, 29), {}) == {"drift.not_measured"}
	rules(changed("replace", path, "100"), {}) == {"drift.not_measured"}
	rules(changed("replace", path, 30), {}) == set()
}

test_nothing_compared if {
	rules(fixtures.submission, {}) == {"drift.not_compared"}
	rules(fixtures.submission, {"columns": ["age"]}) == {"drift.not_measured"}
	rules(changed("replace", "/status", "missing"), {}) == {"drift.not_compared"}
	texts := changed("replace", "/facts/columns/age/kind", "text")
	rules(texts, {"metric": "wasserstein"}) == {"drift.not_compared"}
}

test_columns_are_accounted_for if {
	rules(changed("remove", "/facts/columns/age", null), {}) == {"drift.not_compared"}
	rules(changed("replace", "/facts/compared", 1), {}) == {"drift.not_compared"}
	rules(changed("remove", "/facts/columns/age/kind", null), {}) == {"drift.not_compared"}
	rules(changed("replace", "/measurements/1/slice/column", "income"), {}) == {"drift.not_compared"}
	rules(changed("remove", "/measurements/1", null), {}) == {"drift.not_compared"}
	rules(changed("replace", "/facts/columns", {}), {}) == {"drift.not_compared"}
}

test_columns_are_the_same_in_both_tables[name] if {
	some name, facts in {
		"one differs": {"unmatched": {"job": "it holds text here and numbers in the reference"}, "unmatched_columns": 1},
		"one is not listed": {"unmatched_columns": 1},
		"one is not counted": {"unmatched": {"job": "the reference does not have it"}},
		"no list": {"unmatched": []},
		"no count": {"unmatched_columns": "0"},
	}
	differing := fixtures.added("/evidence/drift", object.union(found, {"facts": facts}))
	rules(differing, {}) == {"drift.columns_differ"}
	rules(differing, {"columns": ["age"]}) == set()
}

test_columns_that_are_left_out[name] if {
	some name, facts in {
		"one cannot be compared": {"left_out": {"name": "it holds too many texts"}, "left_out_columns": 1},
		"one is not listed": {"left_out_columns": 1},
		"one is not counted": {"left_out": {"note": "left out in compliance.yaml"}},
		"no list": {"left_out": []},
		"no count": {"left_out_columns": "0"},
	}
	differing := fixtures.added("/evidence/drift", object.union(found, {"facts": facts}))
	rules(differing, {}) == {"drift.columns_not_judged"}
	rules(differing, {"columns": ["age"]}) == set()
}

test_the_law_alone_leaves_columns_out[which] if {
	some which, rule in {"left_out": "drift.columns_not_judged", "unmatched": "drift.columns_differ"}
	facts := {which: {"name": "why", "note": "why"}, concat("_", [which, "columns"]): 2}
	without := fixtures.added("/evidence/drift", object.union(found, {"facts": facts}))
	rules(without, {"ignore": ["name"]}) == {rule}
	rules(without, {"ignore": ["name", "note"]}) == set()
	one_gone := fixtures.added("/evidence/drift", object.union(found, {"facts": object.union(facts, {concat("_", [which, "columns"]): 3})}))
	rules(one_gone, {"ignore": ["name", "note"]}) == {rule}
}

test_what_the_law_leaves_out_is_not_judged_and_shown if {
	rules(submission, {"threshold": 0.1}) == {"drift.limit_exceeded"}
	rules(submission, {"threshold": 0.1, "ignore": ["age"]}) == set()
	law := fixtures.law_of(item({"ignore": ["age"]}))
	some shown in drift.insufficient with input as submission with data.mlpolicy.law as law
	shown.rule == "drift.columns_left_out"
	shown.values.columns == [{"column": "age", "reason": "left out by the law"}]
}

test_columns_that_differ_are_named if {
	differing := changed("replace", "/facts/unmatched", {"job": "the reference does not have it"})
	law := fixtures.law_of(item({}))
	some violation in drift.violation with input as differing with data.mlpolicy.law as law
	violation.values.columns == [{"column": "job", "reason": "the reference does not have it"}]
	uncounted := changed("replace", "/facts/unmatched_columns", 1)
	some unnamed in drift.violation with input as uncounted with data.mlpolicy.law as law
	unnamed.values.columns == ["the evidence does not say which"]
	rules(submission, {}) == set()
}

test_pins[key] if {
	some key, looser in {"bins": 9, "floor": 0.01, "log": "2"}
	path := concat("/", ["/measurements/0/method", key])
	rules(changed("replace", path, looser), {}) == {"drift.measured_otherwise"}
	rules(changed("replace", path, null), {}) == {"drift.measured_otherwise"}
	rules(changed("replace", path, looser), {key: looser}) == accepted[key]
}

# Where the law accepts what was measured for one column, the other one still has the default.
accepted := {"bins": set(), "floor": set(), "log": {"drift.measured_otherwise"}}

test_pins_of_other_metrics if {
	rules(changed("replace", "/measurements/2/method/log", "2"), {"metric": "jensen_shannon", "columns": ["age"]}) == {"drift.measured_otherwise"}
	rules(changed("remove", "/measurements/2/method/bins", null), {"metric": "jensen_shannon", "columns": ["age"]}) == {"drift.measured_otherwise"}
	rules(submission, {"metric": "jensen_shannon", "columns": ["age"], "log": "e"}) == set()
}

test_malformed[key] if {
	some key, wrong in {
		"metric": "psy",
		"threshold": -1,
		"columns": [],
		"ignore": [""],
		"bins": 1,
		"floor": 0,
		"log": "10",
		"colums": ["age"],
	}
	law := fixtures.law_of(item({key: wrong}))
	drift.malformed == {{"policy": "d", "key": key}} with data.mlpolicy.law as law
	drift.judged == set() with data.mlpolicy.law as law
}

test_the_law_names_those_that_are_judged_or_those_that_are_not if {
	law := fixtures.law_of(item({"columns": ["age"], "ignore": ["sex"]}))
	drift.malformed == {{"policy": "d", "key": "ignore"}} with data.mlpolicy.law as law
}

test_wrong_types[key] if {
	some key in ["threshold", "bins", "floor"]
	law := fixtures.law_of(item({key: "1"}))
	drift.malformed == {{"policy": "d", "key": key}} with data.mlpolicy.law as law
}

test_judged if drift.judged == {"d"} with data.mlpolicy.law as fixtures.law_of(item({}))
