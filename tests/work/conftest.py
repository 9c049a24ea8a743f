"""The unit of work is tested over a store in memory."""

from tests.memory import tmp_path

__all__ = ["tmp_path"]
