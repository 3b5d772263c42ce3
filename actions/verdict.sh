#!/usr/bin/env bash
# End a step as a verdict asks for: verdict.sh EXIT_CODE FAIL_ON.
#
# With `denied`, all but an allowed model fails. With `never`, a verdict does not, whatever it is; an error in the
# workflow or its files, and a run that was cut off, still do: then nothing was judged.
set -euo pipefail
case "$1:$2" in
  0:denied | 0:never) ;;
  1:never | 3:never) echo "::warning title=ml-compliance::exit code $1 fails nothing, since fail-on is never" ;;
  :denied | :never)
    echo "::error title=ml-compliance::the gate did not run"
    exit 3
    ;;
  *:denied | *:never) exit "$1" ;;
  *)
    echo "::error title=ml-compliance::the input fail-on is denied or never"
    exit 2
    ;;
esac
