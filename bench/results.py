"""Results as files: what they were measured on, and reading them back."""

import json
import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"
FORMAT = 2

Result = dict[str, Any]


def machine() -> dict[str, Any]:
    """What decides about speed; `kind` is what results are compared within."""
    from tailops import build_info

    cores = len(os.sched_getaffinity(0))
    kind = f"cpu-{build_info()['instruction_set']}-{cores}-cores"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "kind": kind,
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": cores,
        "memory_gib": round(memory, 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


def versions() -> dict[str, Any]:
    """Of what was measured, as far as it is installed."""
    from importlib.metadata import PackageNotFoundError, version

    from tailops import build_info

    found: dict[str, Any] = dict(build_info())
    found["python"] = platform.python_version()
    names = ("tensorflow", "keras", "numpy", "torch", "jax", "tensorflow-probability")
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def about(command: str) -> Result:
    """The head of a result."""
    return {
        "format": FORMAT,
        "command": command,
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
    }


def _rounded(value: Any) -> Any:
    """Five digits are more than is measured."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value


def write(path: Path, result: Result) -> None:
    """As JSON, a row to a line, so that a change shows as one."""
    parts = []
    for key, value in _rounded(result).items():
        if isinstance(value, list):
            rows = ",\n".join("  " + json.dumps(row) for row in value)
            parts.append(f' "{key}": [\n{rows}\n ]' if value else f' "{key}": []')
        else:
            parts.append(f' "{key}": {json.dumps(value)}')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def read(path: Path) -> Result:
    """A result of this format.

    Raises:
        ValueError: It is none; says which file and what is expected.
    """
    try:
        result: Result = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: must be a JSON file of results: {error}") from None
    if not isinstance(result, dict) or result.get("format") != FORMAT:
        found = result.get("format") if isinstance(result, dict) else None
        raise ValueError(f"{path}: format {found}: must be {FORMAT}; run the benchmark again")
    return result


def age(result: Result) -> int:
    """To sort by: the newest first."""
    return -date.fromisoformat(result["date"]).toordinal()


def committed() -> list[Path]:
    """The results that are part of the project."""
    return sorted(FOLDER.glob("*.json"))
