"""The backup job: carried into the cluster as a ConfigMap, standard library only."""
