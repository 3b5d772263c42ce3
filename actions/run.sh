#!/usr/bin/env bash
# Run a task of ml-compliance with the inputs of an action as its options.
#
#   run.sh TASK [OPTION= | SWITCH]...
#
# TASK is a command of ml-compliance, or one of scripts/. The value of `model-uri=` is in INPUT_MODEL_URI; an empty one is
# left out. A switch, such as `cross-check`, is true, false or empty. The outputs are `exit-code` and `folder`, where the results
# are. With INPUT_FAIL_ON the step ends as verdict.sh says, without it with 0: then another step has to.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
bin="$("$root/actions/setup/setup.sh")"
task="$1"
shift

publishes=false
[ "$task" != post ] || publishes=true
program=("$bin/ml-compliance" "$task")
[ ! -e "$root/scripts/$task.py" ] || program=("$bin/python" "$root/scripts/$task.py")
for option in "$@"; do
  name="${option%=}"
  variable="INPUT_$(tr a-z- A-Z_ <<<"$name")"
  value="${!variable-}"
  case "$option:$value" in
    *:) ;;
    post=:*)
      publishes=true
      program+=("--post=$value")
      ;;
    *=:*) program+=("--$name=$value") ;;
    *:true) program+=("--$name") ;;
    comment:false | check:false) program+=("--no-$name") ;;
    *:false) ;;
    *)
      echo "::error title=ml-compliance::the input $name is true or false"
      exit 2
      ;;
  esac
done

code=0
if "$publishes"; then
  "${program[@]}" || code=$?
  [ "$code" -eq 3 ] || exit "$code"
  echo "::warning title=ml-compliance::not everything could be published; the verdict stays what it is"
  exit 0
fi

# A model is somebody's code. The program itself pauses commands while it runs; what comes later, at its exit or from a
# buffer, is none either, and none of it is told where commands go.
pause="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
echo "::stop-commands::$pause"
env -u GITHUB_ENV -u GITHUB_PATH -u GITHUB_OUTPUT -u GITHUB_STATE -u GITHUB_STEP_SUMMARY "${program[@]}" || code=$?
echo
echo "::$pause::"
out="${INPUT_OUT:-ml-compliance-out}"
{
  echo "exit-code=$code"
  if [ -d "$out" ]; then echo "folder=$(cd "$out" && pwd)"; fi
} >>"$GITHUB_OUTPUT"
[ -z "${INPUT_FAIL_ON-}" ] || exec "$root/actions/verdict.sh" "$code" "$INPUT_FAIL_ON"
