"""Small JSON files that only their owner may read."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def read_record(path: Path) -> dict[str, str]:
    """What was written, or nothing when the file is absent or was cut short."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(key): str(value) for key, value in content.items()}


def write_record(path: Path, record: Mapping[str, str]) -> None:
    """Replaces the file in one step, so that nobody ever reads half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as output:
        json.dump(dict(record), output, indent=2)
    draft.replace(path)
