"""`policy new`: a rule that fails closed, with its documentation and its test, to start from."""

from __future__ import annotations

import re
from pathlib import Path

from ml_compliance import files
from ml_compliance.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Words of Rego; and what the generated texts themselves call something.
_TAKEN = {"as", "contains", "data", "default", "else", "every", "false", "if", "import", "in", "input", "not", "null",
          "package", "some", "true", "with", "test", "deploy"}  # fmt: skip

_DEPLOY = """\
# METADATA
# title: May this model be deployed?
# description: Allowed is what every rule beside this file has passed; where there is no rule, nothing is.
# entrypoint: true
package mlpolicy.deploy

default allow := false

allow if {
	count(data.mlpolicy.rules) > 0
	every rule in data.mlpolicy.rules {
		rule.passed == true
	}
	count(violation) == 0
}

violation contains finding if some finding in data.mlpolicy.rules[_].violation
"""
_DEPLOY_TEST = """\
package mlpolicy_test.deploy

import data.mlpolicy.deploy

test_allows_what_every_rule_passes if {
	deploy.allow with data.mlpolicy.rules as {"a": {"passed": true, "violation": set()}}
}

test_allows_nothing_else if {
	refused := {{"rule": "a", "severity": "high", "msg": "no"}}
	not deploy.allow with data.mlpolicy.rules as {"a": {"passed": false, "violation": refused}}
	not deploy.allow with data.mlpolicy.rules as {"a": {"passed": true, "violation": refused}}
	not deploy.allow with data.mlpolicy.rules as {"a": {"violation": set()}}
	not deploy.allow with data.mlpolicy.rules as {}
}
"""
_RULE = """\
# METADATA
# title: {title}
# description: >-
#   The accuracy is a number and reaches the limit. Replace this by what you require, and keep the order: ask for
#   presence and type before you compare, since in Rego null is less than any number.
package mlpolicy.rules.{name}

limit := 0.8

default passed := false

passed if {{
	is_number(input.model.validation_report.metrics.accuracy)
	input.model.validation_report.metrics.accuracy >= limit
}}

violation contains finding if {{
	not passed
	finding := {{
		"rule": "{name}",
		"severity": "high",
		"title": "{title}",
		"msg": "the accuracy was not measured, or is below the limit",
		"remedy": "measure it again, or improve the model",
	}}
}}
"""
_TEST = """\
package mlpolicy_test.rules.{name}

import data.mlpolicy.rules.{name}

submission(metrics) := {{"model": {{"validation_report": {{"metrics": metrics}}}}}}

test_passes_what_reaches_the_limit if {{
	{name}.passed with input as submission({{"accuracy": 0.8}})
	{name}.violation == set() with input as submission({{"accuracy": 0.8}})
}}

test_names_itself_where_the_limit_is_missed if {{
	findings := {name}.violation with input as submission({{"accuracy": 0.79}})
	{{finding.rule | some finding in findings}} == {{"{name}"}}
}}

test_passes_nothing_that_is_not_measured if {{
	every metrics in [{{}}, null, "text", {{"accuracy": null}}, {{"accuracy": "0.9"}}] {{
		not {name}.passed with input as submission(metrics)
	}}
	not {name}.passed with input as {{}}
}}
"""


def new(name: str, folder: Path) -> tuple[Path, ...]:
    """Write the rule `name` and its test into `folder`, and the entry `deploy.rego` where there is none.

    Returns the files written. Raises UsageError for a name that is no word of Rego, and for files that are there.
    """
    if not _NAME.fullmatch(name) or name in _TAKEN or name.endswith("_test"):
        raise UsageError(f"{name!r} cannot be the name of a rule",
                         remedy="use small letters, digits and `_`, and no keyword of Rego")  # fmt: skip
    values = {"name": name, "title": name.replace("_", " ")}
    texts = {folder / f"{name}.rego": _RULE.format(**values), folder / f"{name}_test.rego": _TEST.format(**values)}
    if not (folder / "deploy.rego").exists():
        texts |= {folder / "deploy.rego": _DEPLOY, folder / "deploy_test.rego": _DEPLOY_TEST}
    there = [path for path in texts if path.exists()]
    if there:
        raise UsageError("this file is there already, and is not overwritten", where=str(there[0]),
                         remedy="choose another name")  # fmt: skip
    for path, text in texts.items():
        files.write(path, text)
    return tuple(texts)
