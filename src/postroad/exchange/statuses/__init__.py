"""Statuses: the status sets of other tracking platforms, and the kinds of event they stand for."""
