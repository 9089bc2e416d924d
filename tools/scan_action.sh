#!/usr/bin/env bash
# What action.yml runs: `tollkey scan` with the inputs of the action, which are in the environment and not in this text, so that
# none of them is executed.
set -fuo pipefail

tollkey="${TOLLKEY:-$RUNNER_TEMP/tollkey/bin/tollkey}"
options=()
for word in $PREFIX; do options+=(--prefix "$word"); done
case "$COMMITS" in
  "") options+=(--); for path in $PATHS; do options+=("$path"); done ;;
  all) options+=(--history) ;;
  *) options+=("--commits=$COMMITS") ;;
esac

if [ -n "$SARIF" ]; then
  "$tollkey" scan --sarif "${options[@]}" >"$SARIF"
else
  "$tollkey" scan "${options[@]}"
fi
code=$?
if [ $code -le 1 ]; then
  [ $code = 1 ] && found=true || found=false
  echo "found=$found" >>"$GITHUB_OUTPUT"
fi
exit $code
