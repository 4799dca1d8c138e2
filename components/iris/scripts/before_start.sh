#!/bin/sh
# iris-main runs this before each start of IRIS (--before, which it takes once). It always ends
# with 0: whether IRIS starts is for IRIS to say. The guard alone may let it wait.
here=$(dirname "$0")
"$here/remove_stale_ipc.sh"
"$here/merge_errors.sh" --mark
"$here/guard.sh" gate
exit 0
