"""What will be late and what goes wrong: forecasts of delivery, and alerts with a life."""
