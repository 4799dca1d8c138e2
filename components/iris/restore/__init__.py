"""A volume that is filled from a snapshot, a backup or another volume."""
