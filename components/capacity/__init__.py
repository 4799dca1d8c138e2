"""The arithmetic of disks and nodes: the one place of it, for every kind of cluster."""
