"""The numbers one batch has taken so far: what a `Taken` in a later operation of it stands for."""

from collections.abc import Mapping
from typing import Any

from server.storage import Doc, Taken


class Numbers(dict[str, tuple[int, int]]):
    """Position and number of the last entry that the batch appended, by stream."""

    def of(self, taken: Taken) -> int:
        """Raises ValueError for a stream to which nothing was appended before."""
        try:
            position, seq = self[taken.stream]
        except KeyError:
            raise ValueError(
                f"nothing was appended to {taken.stream} before in this batch"
            ) from None
        return position if taken.what == "position" else seq

    def fill(self, given: Mapping[str, Any]) -> Doc:
        """A copy to store, with numbers in the place of `Taken`. Raises ValueError without an id."""
        doc = dict(given)
        if type(doc.get("_id")) is not str:
            raise ValueError(f"a document needs a string as _id, not {doc.get('_id')!r}")
        for field, value in doc.items():
            if type(value) is Taken:
                doc[field] = self.of(value)
        return doc
