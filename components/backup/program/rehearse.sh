#!/bin/bash
# Asks a restored IRIS whether its databases are whole, and for its newest marker: a line each. The
# rehearsal runs this in the clone's container, for at most as many seconds as it is told.
set -u

# A connection on which nothing is said for long is cut by what lies between.
while sleep 15; do echo 'busy'; done &
busy=$!
# The answers are put together, so that no echo of a command looks like one. One process: the check
# reads every block, and takes its time beside those who work (Data Integrity Guide, "Integrity
# Check API").
timeout "${1:-3600}" iris session IRIS -U '%SYS' 2>&1 <<'END'
set sc=$$CheckList^Integrity(,,,,1)
write !,"inte"_"grity ",$select($system.Status.IsOK(sc):"whole",1:"damaged"),!
if '$system.Status.IsOK(sc) do Display^Integrity(,2)
kill ^IRIS.TempIntegrityOutput(+$job)
set n=$order(^%ZHaIris("marker",""),-1)
write !,"mar"_"ker ",n," ",$select(n="":"",1:$get(^%ZHaIris("marker",n))),!
halt
END
kill "$busy" 2>/dev/null
echo 'done'
