"""The isolation guard: IRIS ends on a node that is cut off before its storage goes on alone."""
