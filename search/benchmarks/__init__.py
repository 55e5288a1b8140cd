"""Samplers compared on tables of known values, and the overhead of a study."""
