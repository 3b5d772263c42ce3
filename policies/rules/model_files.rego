# METADATA
# title: Model files
# description: >-
#   Loading the model imports nothing but what is allowed: a pickle is a program. The evidence `model_files` has the facts
#   `files: [{path, format, readable, reason}]` (`reason` says why not all of a file could be looked at) and
#   `imports: [{name, file, dangerous}]` (`module.name` of everything that a pickle imports), and the measurements
#   `model_files/files` and `model_files/imports`, which count them. A model that this forbids is not loaded by the gate.
# custom:
#   regulations:
#     - EU AI Act Art. 15
#     - NIST AI RMF Measure 2.7
#   parameters:
#     type: object
#     properties:
#       allowed:
#         type: array
#         minItems: 1
#         default: [sklearn, scipy, numpy.core, numpy._core, numpy.random, numpy.ma, numpy.ndarray, numpy.dtype, numpy.bool, numpy.float16, numpy.float32, numpy.float64, numpy.int8, numpy.int16, numpy.int32, numpy.int64, numpy.uint8, numpy.uint16, numpy.uint32, numpy.uint64, pandas.core, pandas._libs, pandas.arrays, pandas.DataFrame, pandas.Series, pandas.Index, pandas.MultiIndex, pandas.RangeIndex, pandas.StringDtype, pyarrow.lib, joblib.numpy_pickle.NumpyArrayWrapper, fairlearn, xgboost, lightgbm, catboost, torch._utils, torch.nn, torch.storage, torch.serialization._get_layout, torch.FloatStorage, torch.DoubleStorage, torch.HalfStorage, torch.BFloat16Storage, torch.LongStorage, torch.IntStorage, torch.BoolStorage, torch.ByteStorage, collections.OrderedDict, collections.defaultdict, copyreg._reconstructor, _codecs.encode, builtins.object, builtins.set, builtins.frozenset, builtins.slice, builtins.range, builtins.complex, builtins.bytearray, __builtin__.object, __builtin__.set, __builtin__.frozenset, __builtin__.slice, __builtin__.bytearray, datetime, decimal.Decimal]
#         description: Modules, and names in them, that a pickle may import. What is known to be dangerous has to be named in full.
#         items:
#           type: string
#           minLength: 1
#       code:
#         enum: [deny, warn]
#         default: deny
#         description: What it is that code lies among the model's files, which is run when the model is loaded.
package mlpolicy.rules.model_files

import data.mlpolicy.lib.evidence
import data.mlpolicy.lib.law

default_allowed := [
	"sklearn", "scipy", "numpy.core", "numpy._core", "numpy.random", "numpy.ma", "numpy.ndarray", "numpy.dtype", "numpy.bool",
	"numpy.float16", "numpy.float32", "numpy.float64", "numpy.int8", "numpy.int16", "numpy.int32", "numpy.int64",
	"numpy.uint8", "numpy.uint16", "numpy.uint32", "numpy.uint64", "pandas.core", "pandas._libs", "pandas.arrays",
	"pandas.DataFrame", "pandas.Series", "pandas.Index", "pandas.MultiIndex", "pandas.RangeIndex", "pandas.StringDtype",
	"pyarrow.lib", "joblib.numpy_pickle.NumpyArrayWrapper", "fairlearn", "xgboost", "lightgbm", "catboost",
	"torch._utils", "torch.nn", "torch.storage", "torch.serialization._get_layout", "torch.FloatStorage",
	"torch.DoubleStorage", "torch.HalfStorage", "torch.BFloat16Storage", "torch.LongStorage", "torch.IntStorage",
	"torch.BoolStorage", "torch.ByteStorage", "collections.OrderedDict", "collections.defaultdict",
	"copyreg._reconstructor", "_codecs.encode", "builtins.object", "builtins.set", "builtins.frozenset",
	"builtins.slice", "builtins.range", "builtins.complex", "builtins.bytearray", "__builtin__.object",
	"__builtin__.set", "__builtin__.frozenset", "__builtin__.slice", "__builtin__.bytearray", "datetime",
	"decimal.Decimal",
]

wrong_keys(item) := union({
	law.wrong_keys(item, {"allowed", "code"}),
	{"allowed" | not law.is_texts(allowed(item))},
	{"code" | not law.optional_choice(item, "code", ["deny", "warn"])},
})

allowed(item) := object.get(item, "allowed", default_allowed)

malformed contains {"policy": item.id, "key": key} if {
	some item in law.items("model_files")
	some key in wrong_keys(item)
}

items := [item | some item in law.items("model_files"); count(wrong_keys(item)) == 0]

judged contains item.id if some item in items

facts := input.evidence.model_files.facts if evidence.usable("model_files", {"measured"})

counted(name) := evidence.measured("model_files", name, {}, set()).value

# Undefined where one cannot be read, or where as many are not listed as were counted.
files := facts.files if {
	is_array(facts.files)
	count(facts.files) > 0
	count(facts.files) == counted("model_files/files")
	every file in facts.files {
		law.has_text(file, "path")
		law.has_text(file, "format")
		is_boolean(file.readable)
	}
}

imports := facts.imports if {
	is_array(facts.imports)
	count(facts.imports) == counted("model_files/imports")
	every one in facts.imports {
		law.has_text(one, "name")
		law.has_text(one, "file")
		is_boolean(one.dangerous)
	}
}

# METADATA
# title: the model's files were not looked at
# description: Every file of the model, and everything that its pickles import, is listed.
# custom:
#   rule: model_files.not_listed
#   severity: critical
#   message: "the evidence does not list the model's files and what they import: {values[reason]}"
#   remedy: "name the model with `model: uri:` in compliance.yaml, and measure again"
#   reads: ["input.evidence.model_files.facts.files[]", "input.evidence.model_files.facts.imports[]", "input.evidence.model_files.measurements[]"]
violation contains law.finding("model_files.not_listed", item, "critical", "id", {"values": {"reason": reason}}) if {
	some item in items
	not listed
}

listed if {
	files
	imports
}

reason := "it cannot be read, or is not whole" if is_object(facts)

else := evidence.reason("model_files", [])

# METADATA
# title: "{values[file]} imports {values[global]}"
# description: Loading the model imports only what the law allows; a pickle that imports more can run any program.
# custom:
#   rule: model_files.not_allowed
#   severity: critical
#   message: "loading {values[file]} would import `{values[global]}`, which {values[why]}"
#   remedy: "save the model as skops, safetensors or ONNX, or add what it needs to `allowed`, once somebody has read it"
#   reads: ["input.evidence.model_files.facts.imports[]"]
violation contains law.finding("model_files.not_allowed", item, "critical", "allowed", {"values": values}) if {
	some item in items
	some one in imports
	not may_be_imported(item, one)
	values := {"file": one.file, "global": one.name, "why": why(one)}
}

may_be_imported(item, one) if one.name in allowed(item)

may_be_imported(item, one) if {
	one.dangerous == false
	some entry in allowed(item)
	startswith(one.name, concat("", [entry, "."]))
}

why(one) := "is known to be dangerous" if one.dangerous

else := "the law does not allow"

# METADATA
# title: "{values[file]} cannot be looked into"
# description: Every file of the model can be looked into before it is loaded.
# custom:
#   rule: model_files.unreadable
#   severity: high
#   message: "what loading {values[file]} would do is not known: {values[why]}"
#   remedy: save the model again, as skops, safetensors or ONNX
#   reads: ["input.evidence.model_files.facts.files[]"]
violation contains law.finding("model_files.unreadable", item, "high", "id", {"values": values}) if {
	some item in items
	some file in files
	file.readable == false
	values := {"file": file.path, "why": object.get(file, "reason", "it does not say why")}
}

# METADATA
# title: "{values[file]} is code"
# description: No code lies among the model's files, which would be run when the model is loaded.
# custom:
#   rule: model_files.code
#   severity: high
#   message: "{values[file]} among the model's files is code, which is run when the model is loaded"
#   remedy: "put it into a package that the requirements of the model name, or say `code: warn` once somebody has read it"
#   reads: ["input.evidence.model_files.facts.files[]"]
codes contains {"item": item, "finding": finding} if {
	some item in items
	some file in files
	endswith(file.format, " code")
	finding := law.finding("model_files.code", item, "high", "code", {"values": {"file": file.path}})
}

violation contains code.finding if {
	some code in codes
	object.get(code.item, "code", "deny") == "deny"
}

warning contains code.finding if {
	some code in codes
	code.item.code == "warn"
}

# METADATA
# title: "{values[file]} is a pickle"
# description: The model is saved in a format that holds numbers and no program.
# custom:
#   rule: model_files.pickle
#   severity: low
#   message: "{values[file]} is saved as a pickle, which is a program that is run when it is loaded"
#   remedy: save the model as skops, safetensors or ONNX
#   reads: ["input.evidence.model_files.facts.imports[]"]
warning contains law.finding("model_files.pickle", item, "low", "id", {"values": {"file": file}}) if {
	some item in items
	some file in {one.file | some one in imports}
	not declares(file)
}

# skops, and MLmodel for it, name the types that they need; they are no programs.
declares(path) if {
	some file in files
	file.path == path
	file.format in {"skops", "text"}
}
