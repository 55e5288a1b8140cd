"""Fronts and comparisons as plotly figures, HTML pages and dashboard entries."""
