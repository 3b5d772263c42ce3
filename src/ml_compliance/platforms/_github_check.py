"""The check run on the head of a change: verdict, report, annotations, and what a later run compares with."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_compliance.model import Report
from ml_compliance.platforms import Api, ApiError, Delivery, Run, Wish
from ml_compliance.platforms._github_identity import app_of, login
from ml_compliance.platforms._github_limits import CHUNK, OUTPUT, PAGE
from ml_compliance.platforms._planned import Planned
from ml_compliance.publish import check_run, snapshot
from ml_compliance.publish._numbers import counted
from ml_compliance.publish._text import plain

_CONCLUSIONS = {"allowed": "success", "denied": "failure", "not_evaluated": "failure"}
"""What could not be evaluated fails: `action_required` asks for a button that does not exist, and `neutral` passes."""
_SNAPSHOT = re.compile(r"<!-- ml-compliance:snapshot:v1 ([A-Za-z0-9+/=]+) -->")
_UNPACKED = 4 * 1024 * 1024
"""Bytes: a snapshot is small, and what unpacks to more is none."""
_LOSSES = 5
_EXTERNAL = re.compile(r"ml-compliance/(\d+)/(\d+)/")


@dataclass(frozen=True)
class Result:
    """A result that a run has reported: its run, and what the summary of its check run says."""

    number: int
    attempt: int
    summary: str


def deliver(report: Report, run: Run, api: Api, wish: Wish) -> Delivery:
    """Make the check run, or go on with the one that this run has begun, until every annotation is there.

    Raises ApiError; what has begun is concluded all the same, so that no check stays pending.
    """
    rendered = json.loads(check_run.render(report).text)
    kept = rendered.pop("annotations")
    text, without = _text(report)
    output = rendered | text
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
            return _done(begun, api, len(kept), without)
    path = f"/repos/{run.repository}/check-runs/{begun['id']}"
    try:
        _append(api, path, kept, sent, output)
    finally:
        api.send("PATCH", path, {**end, "output": output})
    return _done(begun, api, len(kept), without)


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


def _done(made: Mapping[str, Any], api: Api, sent: int, without: str) -> Delivery:
    status = "planned" if isinstance(api, Planned) else "delivered"
    told = "; ".join(part for part in (counted(sent, "annotation"), without) if part)
    return Delivery("check", status, told, str(made.get("html_url") or ""))  # type: ignore[arg-type]


def _external(report: Report, run: Run) -> str:
    return f"ml-compliance/{run.number}/{run.attempt}/{plain(report.decision.id)[:80]}"


def _begun(report: Report, run: Run, api: Api, wish: Wish) -> dict[str, Any] | None:
    """The check run that this very run has begun and not ended, after a failure."""
    mine = _external(report, run)
    found = [item for item in _named(run, api, wish.name, run.commit) if item.get("external_id") == mine]
    return max(found, key=lambda item: int(item["id"]), default=None)


def _named(run: Run, api: Api, name: str, commit: str) -> Iterator[dict[str, Any]]:
    """Every check run of this name on `commit`. GitHub would list only the one that ended last, of whatever run."""
    path = f"/repos/{run.repository}/commits/{commit}/check-runs"
    return api.pages(path, check_name=name, filter="all", per_page=PAGE)


def results(run: Run, api: Api, name: str, author: str) -> Iterator[Result]:
    """What runs have reported on the commit of `run`, by the app whose login is `author`. Raises ApiError."""
    for item in _named(run, api, name, run.commit):
        found = _EXTERNAL.match(str(item.get("external_id") or ""))
        if found and _by(item, author):
            summary = str((item.get("output") or {}).get("summary") or "")
            yield Result(int(found[1]), int(found[2]), summary)


def _by(item: Mapping[str, Any], author: str) -> bool:
    """Whether the app that speaks as `author` has made a check run. Nobody else's is believed."""
    app = app_of(author)
    return bool(app) and (item.get("app") or {}).get("slug") == app


def _text(report: Report) -> tuple[dict[str, str], str]:
    """The snapshot as the text of the check run; and in words why it is not there, if it does not fit."""
    packed = pack(snapshot.render(report).text)
    return ({"text": packed}, "") if len(packed) <= OUTPUT else ({}, "the snapshot is too large to compare with")


def pack(document: str) -> str:
    """The JSON of a snapshot as an HTML comment, which nobody sees."""
    packed = base64.b64encode(zlib.compress(document.encode(), 9)).decode()
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


def baseline(run: Run, api: Api, name: str) -> dict[str, Any] | str:
    """The snapshot in the newest check run of this name that the token's app made on the base commit, or why not.

    Empty where there is no base. Raises ApiError.
    """
    if not run.base:
        return ""
    author = login(api)
    if not app_of(author):
        return "a personal token makes no check runs, so there is none to compare with"
    made = [item for item in _named(run, api, name, run.base) if _by(item, author)]
    newest = max(made, key=lambda item: int(item["id"]), default=None)
    if newest is None:
        return f"no check run named {name} on {run.base[:12]} by the app {app_of(author)}"
    found = unpack(str((newest.get("output") or {}).get("text") or ""))
    return found or f"the check run named {name} on {run.base[:12]} has no snapshot that can be read"
