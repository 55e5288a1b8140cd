"""Tests, in the folders of the code that they test."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The checkout's folder."""
