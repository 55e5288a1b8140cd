"""Metrics, scores of networks on image sets, and the tables and pictures that show them."""
