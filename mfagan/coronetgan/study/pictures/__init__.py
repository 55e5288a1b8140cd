"""What people see of a study's slices: sample pictures and drawings of widths."""
