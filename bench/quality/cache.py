"""What has been trained already, a line of JSON each: a run that was cut off goes on."""

import json
from pathlib import Path
from typing import Any

Statistics = dict[str, float]


class Cache:
    """Statistics by what was trained. Lines that were cut off are trained again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Statistics] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                row = json.loads(line)
                self._known[self._key(row["of"])] = row["statistics"]
            except (json.JSONDecodeError, KeyError):
                continue

    @staticmethod
    def _key(of: dict[str, Any]) -> str:
        return json.dumps(of, sort_keys=True)

    def get(self, of: dict[str, Any]) -> Statistics | None:
        """What is known of it."""
        return self._known.get(self._key(of))

    def put(self, of: dict[str, Any], statistics: Statistics) -> None:
        """Remembers it, on disk too."""
        self._known[self._key(of)] = statistics
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps({"of": of, "statistics": statistics}) + "\n")
