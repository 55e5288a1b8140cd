"""Picking by eye: a page of blind comparisons along a front, and the point that its answers speak for."""
