"""End to end: k3s, Longhorn and IRIS themselves, on runners of GitHub."""
