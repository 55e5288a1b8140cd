"""Figures of studies: their data as plain lists, and the drawing by plotly."""
