"""Reusable components: a cluster for each cloud, Longhorn and IRIS.

They know no stack and no lab.
"""
