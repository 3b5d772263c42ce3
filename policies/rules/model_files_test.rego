package mlpolicy_test.rules.model_files

import data.mlpolicy.rules.model_files
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "m", "type": "model_files"}, rest)

pickle := {"path": "model.pkl", "format": "pickle", "readable": true}

of_sklearn := {"name": "sklearn.linear_model._logistic.LogisticRegression", "file": "model.pkl", "dangerous": false}

about(files, imports) := fixtures.added("/evidence/model_files", fixtures.evidence("model_files", "measured", {"files": files, "imports": imports}, [
	fixtures.measured("model_files/files", count(files), {}),
	fixtures.measured("model_files/imports", count(imports), {}),
]))

good := about([pickle], [of_sklearn])

rules(document, rest) := fixtures.rules_of(violations) if {
	violations := model_files.violation with input as document
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

warned(document, rest) := fixtures.rules_of(warnings) if {
	warnings := model_files.warning with input as document
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

with_fact(path, value) := json.patch(good, [{
	"op": "replace",
	"path": concat("/", ["/evidence/model_files/facts", path]),
	"value": value,
}])

test_a_pickle_of_what_is_allowed_is_warned_of if {
	rules(good, {}) == set()
	warned(good, {}) == {"model_files.pickle"}
	warned(about([{"path": "model.skops", "format": "skops", "readable": true}], []), {}) == set()
	trusted := [{"name": "sklearn.tree._tree.Tree", "file": file, "dangerous": false} | some file in ["MLmodel", "model.skops"]]
	described := [{"path": "MLmodel", "format": "text", "readable": true}, {"path": "model.skops", "format": "skops", "readable": true}]
	warned(about(described, trusted), {}) == set()
}

test_what_is_not_allowed if {
	rules(good, {"allowed": ["sklearn.linear_mode"]}) == {"model_files.not_allowed"}
	rules(good, {"allowed": [of_sklearn.name]}) == set()
}

whys(document, rest) := {finding.values.why |
	some finding in violations
	finding.rule == "model_files.not_allowed"
} if {
	violations := model_files.violation with input as document
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

test_what_is_dangerous_has_to_be_named_in_full if {
	document := about([pickle], [{"name": "numpy.testing._private.utils.runstring", "file": "model.pkl", "dangerous": true}])
	whys(document, {}) == {"is known to be dangerous"}
	whys(document, {"allowed": ["numpy"]}) == {"is known to be dangerous"}
	whys(document, {"allowed": ["numpy.testing._private.utils.runstring"]}) == set()
	whys(good, {"allowed": ["torch"]}) == {"the law does not allow"}
}

test_unreadable if {
	rules(with_fact("files/0/readable", false), {}) == {"model_files.unreadable"}
}

test_code if {
	document := about([{"path": "code/a.py", "format": "python code", "readable": true}], [])
	rules(document, {}) == {"model_files.code"}
	rules(document, {"code": "warn"}) == set()
	warned(document, {"code": "warn"}) == {"model_files.code"}
}

test_not_listed if {
	every path, wrong in {
		"files": [],
		"files/0": null,
		"files/0/path": "",
		"files/0/format": 1,
		"files/0/readable": "",
		"imports": [],
		"imports/0": "os.system",
		"imports/0/name": null,
		"imports/0/file": "",
		"imports/0/dangerous": null,
	} {
		rules(with_fact(path, wrong), {}) == {"model_files.not_listed"}
	}
	rules(fixtures.submission, {}) == {"model_files.not_listed"}
}

test_malformed[key] if {
	some key, wrong in {"allowed": [], "code": "allow", "modules": ["os"]}
	law := fixtures.law_of(item({key: wrong}))
	model_files.malformed == {{"policy": "m", "key": key}} with data.mlpolicy.law as law
	model_files.judged == set() with data.mlpolicy.law as law
}

test_judged if model_files.judged == {"m"} with data.mlpolicy.law as fixtures.law_of(item({}))
