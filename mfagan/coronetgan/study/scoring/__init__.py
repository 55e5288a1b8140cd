"""Scoring slices of a weight-shared translator on pictures, with work that they have in common done once."""
