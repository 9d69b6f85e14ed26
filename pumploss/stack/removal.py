"""Removes what the launcher made, inside the clone and outside of it."""

import shutil
from pathlib import Path

from pumploss.stack.cluster import FOLDER
from pumploss.stack.instance import held
from pumploss.stack.leftovers import end_leftover
from pumploss.stack.places import CLONE, refuge, refuge_of
from pumploss.stack.problem import StackProblem


def reset(root: Path = CLONE) -> list[str]:
    """Removes every instance of the clone, or none when one of them runs."""
    folders = sorted(path for path in (root / ".pumploss").glob("*") if path.is_dir())
    for folder in folders:
        with held(folder):
            pass
    for folder in folders:
        with held(folder):
            remove(folder, root)
    shutil.rmtree(refuge(root), ignore_errors=True)
    return [folder.name for folder in folders]


def remove(directory: Path, root: Path = CLONE) -> None:
    """Removes one instance whose servers were stopped, or left behind by a killed launcher."""
    for home in (refuge_of(directory, root), directory):
        if (home / FOLDER).is_dir() and not (home / FOLDER).is_symlink():
            end_leftover(home / FOLDER)
        try:
            shutil.rmtree(home)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StackProblem(f"{home} could not be removed: {error}") from None
