"""Exchange: other people's formats to events and tables and back, without state."""
