from typing import Any

# MuJoCo's names come from a compiled module without types.
def __getattr__(name: str) -> Any: ...
