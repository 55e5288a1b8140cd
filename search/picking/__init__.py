"""Picks one point of a study, and says why."""

from search.picking.criteria import Pick, choose, pick

__all__ = ["Pick", "choose", "pick"]
