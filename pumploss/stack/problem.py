"""What the launcher cannot settle alone, as a sentence for the person at the terminal."""


class StackProblem(Exception):
    """Something the launcher cannot settle alone; its text says what to do."""


class InstanceInUse(StackProblem):
    """Another process of this clone runs the instance."""
