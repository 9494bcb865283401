"""The cases, by family of primitives."""
