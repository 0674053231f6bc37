"""The consumer is checked, not run: where doctests are looked for, it would be imported."""

collect_ignore = ["consumer.py"]
