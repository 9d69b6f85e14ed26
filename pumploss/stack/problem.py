"""The one exception of the launcher: a sentence for the person at the terminal."""


class StackProblem(Exception):
    """Something the launcher cannot settle alone; its text says what to do."""
