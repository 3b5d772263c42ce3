"""The shipped rules for people: what each reads and asks for, what it refers to, and how its denial is put right.

A reference says what a rule is evidence for. It never says that a regulation is complied with.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

from ml_compliance import files
from ml_compliance.errors import UsageError
from ml_compliance.law import catalog
from ml_compliance.resources import policies_folder

DOCUMENT = "policies.md"
_FIELDS = ("title", "description", "severity", "message", "remedy", "reads", "source")


def packs() -> dict[str, Any]:
    """The regulation packs by id: title, source, clauses with id, title and description, and dates of application.

    Each date has the source that says so, and a pack the day on which these were `read`.
    """
    found: dict[str, Any] = {}
    for path in sorted((policies_folder() / "regulations").glob("*.json")):
        found |= json.loads(path.read_text(encoding="utf-8"))
    return found


def clauses() -> dict[str, dict[str, Any]]:
    """Every clause by its id, each with the title and the source of its regulation."""
    return {
        clause["id"]: {**clause, "regulation": pack["title"], "source": pack["source"]}
        for pack in packs().values()
        for clause in pack["clauses"]
    }


def explain(name: str) -> dict[str, Any]:
    """All that is known of the rule `name`, or of a type of the law with its rules.

    Raises UsageError with the nearest name when there is none.
    """
    known = catalog()
    rules, types, described = known["rules"], known["types"], clauses()
    if name not in rules and name not in types:
        near = difflib.get_close_matches(name, [*rules, *types], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from: {', '.join(sorted(types))}"
        raise UsageError(f"there is no rule called {name!r}", remedy=hint)
    family = name if name in types else rules[name]["family"]
    about = types[name] if name in types else rules[name]
    return {
        "rule": name,
        **{field: about[field] for field in _FIELDS if field in about},
        **({"rules": sorted(rule for rule in rules if rules[rule]["family"] == name)} if name in types else {}),
        "parameters": types[family]["parameters"]["properties"] if family in types else {},
        "references": [described[reference] for reference in about["regulations"]],
    }


def text(found: dict[str, Any]) -> str:
    """What `explain` found, for people to read."""
    lines = [f"{found['rule']}: {found['title']}", "", found["description"]]
    for field in ("severity", "message", "remedy"):
        lines += [f"{field}: {found[field]}"] if field in found else []
    for field in ("reads", "rules"):
        lines += ["", f"{field}:", *(f"  {item}" for item in found[field])] if field in found else []
    parameters = [f"  {key}: {part.get('description', '')}" for key, part in found["parameters"].items()]
    lines += ["", "parameters:", *parameters] if parameters else []
    references = [f"  {item['id']}: {item['title']} ({item['source']})" for item in found["references"]]
    lines += ["", "refers to (what was measured is evidence, not compliance):", *references] if references else []
    return "\n".join(lines)


def document() -> str:
    """docs/policies.md: each rule with the evidence that it reads and the clauses that it refers to."""
    known = catalog()
    lines = [
        "# Policies",
        "",
        "Generated from the annotations of the rules by `make generate`. A reference says what a rule is evidence for;",
        "it is no claim of compliance. `ml-compliance policy explain RULE` says more about each.",
        "",
        "| rule | severity | reads | refers to |",
        "| --- | --- | --- | --- |",
    ]
    for name, rule in sorted(known["rules"].items()):
        reads = ", ".join(f"`{path}`" for path in rule["reads"])
        lines.append(f"| `{name}` | {rule['severity']} | {reads} | {', '.join(rule['regulations']) or '–'} |")
    for pack in packs().values():
        lines += ["", f"## {pack['title']}", "", f"<{pack['source']}>, dates read on {pack['read']}:", ""]
        lines += [f"- {date['from']}: {date['what']}. <{date['source']}>" for date in pack["applies"]]
        lines += ["", *([pack["note"], ""] if "note" in pack else [])]
        lines += ["| clause | about | rules |", "| --- | --- | --- |"]
        for clause in pack["clauses"]:
            types = [kind for kind in sorted(known["types"]) if clause["id"] in known["types"][kind]["regulations"]]
            judged = ", ".join(f"`{kind}`" for kind in types) or "none: not evidenced by this gate"
            lines.append(f"| {clause['id']} | {clause['title']}. {clause['description']} | {judged} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    files.write(Path("docs") / DOCUMENT, document())
