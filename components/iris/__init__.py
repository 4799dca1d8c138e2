"""InterSystems IRIS: one instance whose volume outlives every pod, node and mistake."""

from components.iris.database import Iris
from components.iris.settings import IrisSettings

__all__ = ["Iris", "IrisSettings"]
