"""What will be late: forecasts of delivery from the timetable and from what history teaches."""

from postroad.watch.board import Board, Place
from postroad.watch.conditions import Conditions
from postroad.watch.features import Standing, observe, stand
from postroad.watch.forecaster import Forecast, Forecaster, learn, timetable_forecast
from postroad.watch.histories import Histories, read_histories
from postroad.watch.lessons import Lesson, read_lesson
from postroad.watch.trips import Connections

__all__ = [
    "Board",
    "Conditions",
    "Connections",
    "Forecast",
    "Forecaster",
    "Histories",
    "Lesson",
    "Place",
    "Standing",
    "learn",
    "observe",
    "read_histories",
    "read_lesson",
    "stand",
    "timetable_forecast",
]
