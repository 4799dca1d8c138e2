"""Stand-in for Pulumi's Kubernetes provider, for the lab: real objects in a real API server.

Behaves as pulumi-kubernetes 4.34 does where the program can tell the difference: names of its own,
server-side apply, immutable fields that replace an object, waiting until an object is ready, and
Helm releases through the ``helm`` program. What it does not know it refuses by name.
"""
