"""Longhorn: the storage that keeps three copies of the database volume."""

from components.longhorn.longhorn import BackupStore, Longhorn
from components.longhorn.settings import LonghornSettings

__all__ = ["BackupStore", "Longhorn", "LonghornSettings"]
