"""Drills: the same network after the loss of a hub, a corridor or a province."""
