"""Fencing: a silent node is proved off, and its database starts elsewhere at once."""
