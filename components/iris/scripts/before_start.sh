#!/bin/sh
# iris-main runs this before each start of IRIS (--before, which it takes once). It always ends
# with 0: whether IRIS starts is for IRIS to say.
here=$(dirname "$0")
"$here/remove_stale_ipc.sh"
"$here/merge_errors.sh" --mark
exit 0
