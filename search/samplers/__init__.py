"""The ways to draw choices for a study."""
