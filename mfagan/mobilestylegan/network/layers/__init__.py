"""What teacher and student are built of."""
