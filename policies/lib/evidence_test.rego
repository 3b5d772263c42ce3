package mlpolicy_test.lib.evidence

import data.mlpolicy.lib.evidence

minimum := {"cases": 30, "positives": 10, "negatives": 10}

large := {"n": 30, "positives": 15, "negatives": 15}

test_enough if evidence.size(large, minimum) == "enough"

test_small if {
	every key, count_ in {"n": 29, "positives": 9, "negatives": 9} {
		evidence.size(object.union(large, {key: count_}), minimum) == "small"
	}
}

test_only_what_has_a_minimum_can_be_too_few if {
	evidence.size({"n": 30, "positives": 0, "negatives": 0}, {"cases": 30}) == "enough"
}

test_no_size_without_counts if {
	every key in object.keys(large) {
		not evidence.size(object.remove(large, [key]), minimum)
		not evidence.size(object.union(large, {key: null}), minimum)
		not evidence.size(object.union(large, {key: "30"}), minimum)
	}
}

test_a_key_is_there_whatever_it_holds if {
	every value in [null, false, 0, "", [], {}] {
		evidence.has({"key": value}, "key")
	}
	every none in [{}, [], "key", null, 7] {
		not evidence.has(none, "key")
	}
}
