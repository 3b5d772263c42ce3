#!/usr/bin/env bash
# Install this checkout of ml-compliance for the rest of the job, and print the folder of its programs.
#
# The ref of the action is the version of the code; all else comes from requirements/, locked by hash, from wherever pip
# and uv are configured to look (PIP_INDEX_URL and UV_INDEX_URL, or PIP_FIND_LINKS and UV_FIND_LINKS for a folder of
# wheels). INPUT_PYTHON names a Python 3.11 to 3.13; else uv takes the one that it finds first, or downloads one.
# INPUT_TOOLS names programs to install from the lock, with spaces between them, where their version is not there yet.
set -euo pipefail

fail() {
  echo "::error title=ml-compliance::$1" >&2
  exit "${2:-2}"
}

[ "${RUNNER_OS-}" != Windows ] || fail "the action runs on Linux and macOS; on Windows, install ml-compliance with pip"
[ -d "${RUNNER_TEMP-}" ] || fail "RUNNER_TEMP names no folder; the runner sets it"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
here="$PWD"
# One environment for each content, so that actions of one version share it and those of different versions do not meet.
cd "$root"
content="$(find pyproject.toml policies requirements src -type f ! -name '*.pyc' | LC_ALL=C sort | tr '\n' '\0' |
  xargs -0 cat | cksum | cut -d ' ' -f 1)"
home="$RUNNER_TEMP/ml-compliance-$content${INPUT_PYTHON:+-$(printf %s "$INPUT_PYTHON" | cksum | cut -d ' ' -f 1)}"

if [ ! -e "$home/ready" ]; then
  # Not in the workspace: what a pull request put there must not tell Python or uv what to do.
  cd "$root/requirements"
  python3 -I -m pip --version >/dev/null || fail "python3 with pip is needed to install the installer, uv"
  rm -rf "$home"
  python3 -I -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-compile \
    --require-hashes --target "$home/uv" -r uv.txt >&2
  uv="$home/uv/bin/uv"
  # Of itself uv trusts its own list of certificate authorities; pip trusts the system's, which a TLS proxy needs.
  export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
  "$uv" venv --quiet --python "${INPUT_PYTHON:->=3.11,<3.14}" "$home/venv" >&2
  python="$home/venv/bin/python"
  "$uv" pip install --quiet --python "$python" --require-hashes -r run.txt -r build.txt >&2
  # Without its cache: uv would take an earlier build of the same folder for this one.
  "$uv" pip install --quiet --python "$python" --no-cache --no-deps --no-build-isolation "$root" >&2
  touch "$home/ready"
  echo "ml-compliance: set up in $SECONDS s" >&2
fi
cd "$here" # A mirror or a lock may be named from there.
tr -s ' ' '\n' <<<"${INPUT_TOOLS-}" | while read -r tool; do
  [ -n "$tool" ] || continue
  code=0
  "$home/venv/bin/ml-compliance" tools install -- "$tool" </dev/null >&2 || code=$?
  [ "$code" -eq 0 ] || fail "$tool could not be installed; the log says why, and docs/github.md what to do" "$code"
done
echo "$home/venv/bin"
