"""Synthetic calls for demonstrations and tests: made from a seed, each with what must become of it."""
