"""Keras callbacks.

`TailMonitor` shows how the tail of the error moves while a model trains, and `TailSchedule` moves a
number of its loss.
"""

from tailops.callbacks.tail_monitor import TailMonitor
from tailops.callbacks.tail_schedule import TailSchedule

__all__ = ["TailMonitor", "TailSchedule"]
