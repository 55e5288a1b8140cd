"""Slices of a weight-shared student as choices, and their distances to the teacher."""
