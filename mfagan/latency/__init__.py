"""Latency: measured on this machine, and read from look-up tables."""
