"""The programs of the jobs here: one folder, of which each job runs what it needs."""

from pathlib import Path

from components.in_cluster.carried import EXEC, KUBE, Carried

FOLDER = Path(__file__).with_name("program")
FREEZE = Path(__file__).parents[1] / "iris" / "scripts" / "freeze.sh"

BACKUP = Carried(FOLDER, (FREEZE, KUBE, EXEC))
REHEARSAL = Carried(FOLDER, (FREEZE, KUBE, EXEC), settings="rehearsal.json")
