"""The join with `search`: slices of a weight-shared student as candidates."""
