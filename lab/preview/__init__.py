"""Previews without credentials: the command, its table and the stand-in for every provider."""
