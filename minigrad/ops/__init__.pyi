# For type checkers: every operation is a Primitive, made by a decorator that they do not follow.
from typing import Any

def __getattr__(name: str) -> Any: ...
