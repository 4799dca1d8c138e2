#!/usr/bin/env bash
# Drills on the machines of machines.sh, one scenario after the other, reports below a folder:
# drills.sh FOLDER [SCENARIO]... It goes on past one that does not keep its budget, and fails then.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

folder=${1:?a folder}
shift
scenarios=("$@")
if ((${#scenarios[@]} == 0)); then
  scenarios=(iris-killed pod-deleted node-drained power-cut node-crashed partition-full partition-api
    partition-peers)
fi
export PULUMI_CONFIG_PASSPHRASE=${PULUMI_CONFIG_PASSPHRASE:-end-to-end}
export PULUMI_BACKEND_URL=${PULUMI_BACKEND_URL:-file://$HOME}

.venv/bin/pip install --quiet --disable-pip-version-check -r drills/requirements.txt || exit
broken=()
for scenario in "${scenarios[@]}"; do
  # A machine of one processor is slow, so the budgets are no promise to anybody.
  .venv/bin/python -m drills "$scenario" --stack three --confirm three --runs "${E2E_RUNS:-3}" \
    --sql 10.77.0.1:1972 --budget "${E2E_BUDGET:-300}" \
    --power-off 'e2e/machines.sh off {node}' --power-on 'e2e/machines.sh on {node}' \
    --out "$folder/$scenario" --history "$folder/history.jsonl" || broken+=("$scenario")
done
.venv/bin/python -m drills chart "$folder/history.jsonl" "$folder/history.svg" || broken+=(chart)
((${#broken[@]} == 0)) || { echo "drills.sh: not kept or not run: ${broken[*]}" >&2; exit 1; }
