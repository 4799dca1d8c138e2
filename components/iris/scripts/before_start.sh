#!/bin/sh
# iris-main runs this before each start of IRIS (--before, which it takes once). It always ends
# with 0: whether IRIS starts is for IRIS to say. It waits while another pod has the volume, and
# while the guard lets nobody through.
here=$(dirname "$0")
"$here/one_instance.sh"
"$here/remove_stale_ipc.sh"
"$here/merge_errors.sh" --mark
# IRIS takes no directory of journals that is not there.
[ -z "$OTHER_JOURNALS" ] || mkdir -p "$OTHER_JOURNALS"
"$here/guard.sh" gate
exit 0
