"""Measurements that a reader can repeat; `make bench` runs them."""
