"""Slices of weight-shared networks that make pictures: their scores, and what a study's page shows of them."""
