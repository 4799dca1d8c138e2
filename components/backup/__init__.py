"""Backups: what is kept outside the cluster, and for how long."""
