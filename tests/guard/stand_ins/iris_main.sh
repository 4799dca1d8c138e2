#!/bin/bash
# Stands in for iris-main, the first process of IRIS's container: runs the real --before program,
# then one process that commits, and stops it when told so. No IRIS runs here.
trap 'echo "told to stop" >>"$OBSERVED/told"; sleep 20; exit 0' TERM # a stop takes its time
"$SCRIPTS/before_start.sh" >>"$OBSERVED/log" 2>&1 &
wait $!
"$STAND_INS/commits.sh" &
while :; do
  sleep 1 &
  wait $!
done
