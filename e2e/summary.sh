#!/usr/bin/env bash
# The reports below a folder as one page, such as the summary of a job: summary.sh FOLDER PAGE.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${1:?a folder} page=${2:?a page}
{
  printf '# Drills on three virtual machines\n\nOne processor and %s MiB each, on one host.\n\n' \
    "${E2E_MEMORY:-4608}"
  if ! .venv/bin/python -m e2e.calibrate "$folder"; then
    echo 'No drill has written a report.'
  fi
  find "$folder" -name report.md -print0 | sort --zero-terminated | while IFS= read -r -d '' report; do
    printf '\n'
    sed 's/^#/##/; s/\[\([^]]*\)\](timeline[^)]*)/\1/' "$report"
  done
} >>"$page"
