"""IRIS as an IrisCluster, which InterSystems' Kubernetes Operator (IKO) runs."""
