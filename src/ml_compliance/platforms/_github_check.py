"""The check run on the head of a change: verdict, report, annotations, and what a later run compares with."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from ml_compliance.documents import canonical
from ml_compliance.model import Finding, Report
from ml_compliance.platforms import Api, ApiError, Delivery, Run, Wish
from ml_compliance.platforms._github_limits import ANNOTATIONS, CHUNK, MESSAGE, OUTPUT, PAGE, TITLE
from ml_compliance.publish._numbers import counted
from ml_compliance.publish._text import clip, plain
from ml_compliance.publish._view import FULL_REPORT, VERDICTS, counts, detail, headline, ordered, place
from ml_compliance.publish.markdown import LIMIT, compose

_CONCLUSIONS = {"allowed": "success", "denied": "failure", "not_evaluated": "failure"}
"""What could not be evaluated fails: `action_required` asks for a button that does not exist, and `neutral` passes."""
_SNAPSHOT = re.compile(r"<!-- ml-compliance:snapshot:v1 ([A-Za-z0-9+/=]+) -->")
_UNPACKED = 4 * 1024 * 1024
"""Bytes: a snapshot is small, and what unpacks to more is none."""
_LOSSES = 5
_APP = "github-actions"
"""The app behind a workflow's own token. Nobody else's check run is compared with."""


def deliver(report: Report, run: Run, api: Api, wish: Wish) -> Delivery:
    """Make the check run, or go on with the one that this run has begun, until every annotation is there.

    Raises ApiError; what has begun is concluded all the same, so that no check stays pending.
    """
    found = notes(report)
    kept = found[:ANNOTATIONS]
    output, without = _output(report, wish, len(found) - len(kept))
    end = {"status": "completed", "conclusion": _CONCLUSIONS[report.decision.verdict]}
    begun = _begun(report, run, api, wish)
    sent = int((begun.get("output") or {}).get("annotations_count") or 0) if begun else 0
    if not begun:
        sent = min(CHUNK, len(kept))
        whole = end if sent == len(kept) else {"status": "in_progress"}
        body = {"name": wish.name, "head_sha": run.commit, "details_url": run.url,
                "external_id": _external(report, run), "output": {**output, "annotations": kept[:sent]}}  # fmt: skip
        begun = api.send("POST", f"/repos/{run.repository}/check-runs", body | whole)
        if whole is end:
            return _done(begun, wish, len(kept), without)
    path = f"/repos/{run.repository}/check-runs/{begun['id']}"
    try:
        _append(api, path, kept, sent, output)
    finally:
        api.send("PATCH", path, {**end, "output": output})
    return _done(begun, wish, len(kept), without)


def _append(api: Api, path: str, kept: Sequence[Mapping[str, Any]], sent: int, output: Mapping[str, Any]) -> None:
    """Send the annotations from number `sent` on. After an answer that was lost, GitHub is asked how many it has."""
    losses = 0
    while sent < len(kept):
        chunk = kept[sent : sent + CHUNK]
        try:
            api.send("PATCH", path, {"status": "in_progress", "output": {**output, "annotations": chunk}})
            sent += len(chunk)
        except ApiError as error:
            losses += 1
            if losses > _LOSSES or error.status not in (0, 502, 503, 504):
                raise
            sent = int(api.send("GET", path)["output"]["annotations_count"])


def _done(made: Mapping[str, Any], wish: Wish, sent: int, without: str) -> Delivery:
    status = "planned" if wish.dry_run else "delivered"
    told = "; ".join(part for part in (counted(sent, "annotation"), without) if part)
    return Delivery("check", status, told, str(made.get("html_url") or ""))  # type: ignore[arg-type]


def _external(report: Report, run: Run) -> str:
    return f"ml-compliance/{run.number}/{run.attempt}/{plain(report.decision.id)[:80]}"


def _begun(report: Report, run: Run, api: Api, wish: Wish) -> dict[str, Any] | None:
    """The check run that this very run has begun and not ended, after a failure."""
    path = f"/repos/{run.repository}/commits/{run.commit}/check-runs"
    mine = _external(report, run)
    found = [item for item in api.pages(path, check_name=wish.name, per_page=PAGE) if item.get("external_id") == mine]
    return max(found, key=lambda item: int(item["id"]), default=None)


def _output(report: Report, wish: Wish, omitted: int) -> tuple[dict[str, Any], str]:
    """Title, summary and text, each within its limit; and what had to be left out, in words."""
    title = clip(": ".join((VERDICTS[report.decision.verdict], " · ".join(counts(report.decision)))), TITLE)
    left = counted(omitted, "more finding") + f" in `{FULL_REPORT}`" if omitted else ""
    packed = pack(wish.snapshot) if wish.snapshot is not None else ""
    fits = len(packed) + len(left.encode()) + 2 <= OUTPUT
    text = "\n\n".join(part for part in (left, packed if fits else "") if part)
    output = {"title": title, "summary": compose(report, min(LIMIT, OUTPUT))}
    lacks = (left.replace("`", ""), "" if fits else "the snapshot is too large: later runs cannot compare")
    return output | ({"text": text} if text else {}), "; ".join(part for part in lacks if part)


def notes(report: Report) -> list[dict[str, Any]]:
    """An annotation on the line of the law for each finding, the gravest first."""
    decision = report.decision
    levels = ((decision.violations, "failure"), (decision.insufficient, "warning"), (decision.warnings, "warning"),
              (decision.waived, "notice"))  # fmt: skip
    return [_annotation(report, finding, level) for found, level in levels for finding in ordered(found)]


def _annotation(report: Report, finding: Finding, level: str) -> dict[str, Any]:
    at = place(report, finding)
    return {
        "path": plain(at.file),
        "start_line": at.line,
        "end_line": at.line,
        "annotation_level": level,
        "title": clip(plain(headline(finding)), TITLE),
        "message": said(finding),
    }


def said(finding: Finding) -> str:
    """A finding in plain lines: what is wrong, and the way out."""
    lines = [detail(finding) or headline(finding), f"→ {finding.remedy}" if finding.remedy else ""]
    return clip("\n".join(plain(line) for line in lines if line), MESSAGE)


def pack(snapshot: Mapping[str, Any]) -> str:
    """A snapshot as an HTML comment, which nobody sees."""
    packed = base64.b64encode(zlib.compress(canonical(snapshot).encode(), 9)).decode()
    return f"<!-- ml-compliance:snapshot:v1 {packed} -->"


def unpack(text: str) -> dict[str, Any] | None:
    """The snapshot in the text of a check run; None where there is none, or none that can be read."""
    match = _SNAPSHOT.search(text)
    if match is None:
        return None
    stream = zlib.decompressobj()
    try:
        found = json.loads(stream.decompress(base64.b64decode(match.group(1), validate=True), _UNPACKED))
    except (ValueError, zlib.error):
        return None
    return found if isinstance(found, dict) and stream.eof else None


def baseline(run: Run, api: Api, name: str) -> dict[str, Any] | None:
    """The snapshot in the newest check run of this name that a workflow made on the base commit. Raises ApiError."""
    if not run.base:
        return None
    path = f"/repos/{run.repository}/commits/{run.base}/check-runs"
    made = [
        item for item in api.pages(path, check_name=name, per_page=PAGE) if (item.get("app") or {}).get("slug") == _APP
    ]
    newest = max(made, key=lambda item: int(item["id"]), default=None)
    return unpack(str((newest.get("output") or {}).get("text") or "")) if newest else None
