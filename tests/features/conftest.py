"""Features are tested over a store in memory: it is the same store, its disk is tested elsewhere."""

from tests.memory import tmp_path

__all__ = ["tmp_path"]
