"""Let letters and digits of full width be found like plain ones: texts that hold some are indexed again."""

import re

from server.storage import Patch, Store

ID = "0002_full_width"

_FULL_WIDTH = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_TEXTS = {"log": "text", "mail_bodies": "words"}
_PAGE = 100


async def up(store: Store) -> None:
    """A text that is written once more is indexed as this version folds it."""
    for coll, field in _TEXTS.items():
        after: str | None = None
        while page := await store.scan(coll, after, _PAGE):
            wide = [doc for doc in page if _FULL_WIDTH.search(doc.get(field) or "")]
            if wide:
                await store.apply(*(Patch(coll, d["_id"], {field: d[field]}) for d in wide))
            after = page[-1]["_id"]
