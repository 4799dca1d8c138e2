"""What a Prometheus that is there already needs to watch IRIS and the copies of its volume."""

from components.monitoring.settings import MonitoringSettings

__all__ = ["MonitoringSettings"]
