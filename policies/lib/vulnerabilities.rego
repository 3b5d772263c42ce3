# METADATA
# description: >-
#   What a scanner found in something that is deployed, held against the law: how recent its database is, and how many
#   vulnerabilities of each severity there are. `module` names the evidence, whose facts have `database: {age_days}` and
#   `vulnerabilities: [{cve, package, severity}]`; for each severity there is a measurement `module/vulnerabilities`.
package mlpolicy.lib.vulnerabilities

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

severities := {"critical", "high", "medium", "low", "unknown"}

# How grave a vulnerability is that nobody has graded yet.
grade(severity) := severity if severity != "unknown"

else := "high"

wrong_keys(item) := union({
	{"maximum" | not valid_maximum(maximum(item))},
	{"database_age_days" | not is_count(age(item))},
})

valid_maximum(limits) if {
	is_object(limits)
	count(limits) > 0
	every severity, limit in limits {
		severity in severities
		is_count(limit)
	}
}

is_count(value) if {
	is_number(value)
	value >= 0
}

maximum(item) := object.get(item, "maximum", {"critical": 0, "high": 0})

age(item) := object.get(item, "database_age_days", 7)

facts(module) := input.evidence[module].facts if evidence.usable(module, {"measured"})

# What is wrong with the age of the database, as the rest of a finding.
outdated(module, item) := {{"limit": age(item), "values": {"age": stated_age(module)}} | not is_recent(module, item)}

is_recent(module, item) if {
	is_count(facts(module).database.age_days)
	facts(module).database.age_days <= age(item)
}

stated_age(module) := facts(module).database.age_days if is_number(facts(module).database.age_days)

else := "an unknown number of"

# Undefined where one of them is not named.
listed(module) := found if {
	found := facts(module).vulnerabilities
	is_array(found)
	every one in found {
		law.has_text(one, "cve")
		law.has_text(one, "package")
		one.severity in severities
	}
}

# The number of a severity, undefined where as many are not listed as were counted.
counted(module, severity) := measurement if {
	name := concat("/", [module, "vulnerabilities"])
	measurement := evidence.measured(module, name, {"severity": severity}, set())
	measurement.value == count([1 | some one in listed(module); one.severity == severity])
}

uncounted(module, item) := {severity |
	some severity, _ in maximum(item)
	not counted(module, severity)
}

# Where the law allows some, their number; where it allows none, each by its CVE.
too_many(module, item) := {severity: rest |
	some severity, limit in maximum(item)
	limit > 0
	measurement := counted(module, severity)
	measurement.value > limit
	about := {"limit": limit, "worse": "higher", "values": {"severity": severity}}
	rest := object.union(evidence.about(measurement), about)
}

forbidden(module, item) := {rest |
	some severity, limit in maximum(item)
	limit == 0
	counted(module, severity)
	some cve in {one.cve | some one in listed(module); one.severity == severity}
	packages := sort({described(one) | some one in listed(module); one.cve == cve; one.severity == severity})
	rest := {"slice": {"cve": cve}, "values": {"severity": severity, "cve": cve, "packages": packages}}
}

described(one) := concat("", [one.package, stated(one, "installed", " "), stated(one, "fixed", ", fixed in ")])

stated(one, key, before) := concat("", [before, one[key]]) if law.has_text(one, key)

else := ""
