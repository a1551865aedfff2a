"""The flow planner: how a day's items should flow through a timetable of limited capacity, with a proven gap."""
