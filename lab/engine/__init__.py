"""One run of the program by the real Pulumi engine: its copy, language host, state and events."""

from lab.engine.engine import Engine, EngineError, Operation, Result

__all__ = ["Engine", "EngineError", "Operation", "Result"]
