"""Keras callbacks: `TailMonitor` shows how the tail of the error moves while a model trains."""

from tailops.callbacks.tail_monitor import TailMonitor

__all__ = ["TailMonitor"]
