"""Checks of problems and of what they answer, before anything is stored."""
