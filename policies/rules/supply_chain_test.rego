package mlpolicy_test.rules.supply_chain

import data.mlpolicy.rules.supply_chain
import data.mlpolicy_test.fixtures

item(rest) := object.union({"id": "s", "type": "supply_chain"}, rest)

submission := fixtures.added("/evidence/image", fixtures.evidence(
	"image", "measured", {
		"sbom": {"format": "CycloneDX", "sha256": fixtures.hash},
		"signature": {"verified": true, "identity": "ci@bank.example"},
	},
	[],
))

rules(document, rest) := fixtures.rules_of(violations) if {
	violations := supply_chain.violation with input as document
		with data.mlpolicy.law as fixtures.law_of(item(rest))
}

with_fact(path, value) := json.patch(submission, [{
	"op": "replace",
	"path": concat("/", ["/evidence/image/facts", path]),
	"value": value,
}])

signed := {"signers": ["ci@bank.example"]}

test_known_and_signed if rules(submission, signed) == set()

test_no_sbom if {
	rules(with_fact("sbom/sha256", "1"), signed) == {"supply_chain.no_sbom"}
	rules(with_fact("sbom", null), {}) == {"supply_chain.no_sbom"}
	rules(with_fact("sbom", null), {"sbom": false}) == set()
	rules(fixtures.submission, {}) == {"supply_chain.no_sbom"}
}

test_not_signed if {
	rules(submission, {"signers": ["cd@bank.example"]}) == {"supply_chain.not_signed"}
	every wrong in [null, "true", 1, false] {
		rules(with_fact("signature/verified", wrong), signed) == {"supply_chain.not_signed"}
	}
	rules(fixtures.submission, object.union(signed, {"sbom": false})) == {"supply_chain.not_signed"}
}

test_malformed[key] if {
	some key, wrong in {"sbom": "yes", "signers": [], "image": 1}
	law := fixtures.law_of(item({key: wrong}))
	supply_chain.malformed == {{"policy": "s", "key": key}} with data.mlpolicy.law as law
	supply_chain.judged == set() with data.mlpolicy.law as law
}

test_judged if supply_chain.judged == {"s"} with data.mlpolicy.law as fixtures.law_of(item({}))
