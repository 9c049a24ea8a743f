"""What nx-27017 does not know or gets wrong, put right between it and a client that expects MongoDB.

Each mend is a bug that was seen. What cannot be mended here (write conflicts, failover, plans, speed) is not
proved by tests over the double.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

Doc = dict[str, Any]
Ask = Callable[[Doc], Awaitable[Doc]]

_UNIQUE = re.compile(r"UNIQUE constraint failed: (?:index '(?P<index>\w+)'|\S+\._id)")


class Mends:
    """The mends, and what they have to remember: how nx-27017 calls each index."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    async def answer(self, name: str, command: Doc, ask: Ask) -> Doc:
        """The answer MongoDB would give."""
        command = {key: value for key, value in command.items() if key not in _IGNORED}
        if "autocommit" not in command and name not in ("commitTransaction", "abortTransaction"):
            # It keeps a session of its own for every lsid; only transactions need one.
            command.pop("lsid", None)
        if isinstance(command[name], str):
            command[name] = _one_word(command[name])
        if name == "listCollections":
            return await self._list_collections(command, ask)
        if name == "createIndexes":
            return await self._create_indexes(command, ask)
        if name == "dropIndexes":
            command["index"] = _nx_name(command[name], self._keys(command, command["index"]))
        if name == "find":
            command["filter"] = _plain(command.get("filter", {}))
        if name == "aggregate":
            return await self._aggregate(command, ask)
        answer = await ask(command)
        for error in answer.get("writeErrors", ()):
            error["errmsg"] = self._duplicate(command["$db"], command[name], error["errmsg"])
        return answer

    async def _list_collections(self, command: Doc, ask: Ask) -> Doc:
        wanted = command.pop("filter", {}).get("name")
        answer = await ask(command)
        cursor = answer["cursor"]
        for found in cursor["firstBatch"]:
            found["name"] = found["name"].replace(_DOT, ".")
        if wanted is not None:
            cursor["firstBatch"] = [each for each in cursor["firstBatch"] if each["name"] == wanted]
        return answer

    # Indexes

    async def _create_indexes(self, command: Doc, ask: Ask) -> Doc:
        """It takes partial indexes for whole ones, answers nothing once an array is indexed, and builds
        some of several when one fails. Values that are absent never clash in it, so the unique ones
        are made whole, and the others, which only make MongoDB quicker, not at all."""
        coll, db = command["createIndexes"], command["$db"]
        made: list[Doc] = []
        for spec in command["indexes"]:
            keys = "_".join(spec["key"])
            self._names[db, _nx_name(coll, keys)] = spec["name"]
            if not spec.get("unique"):
                continue
            plain = {"name": spec["name"], "key": spec["key"], "unique": True}
            answer = await ask({"createIndexes": coll, "indexes": [plain], "$db": db})
            if not answer.get("ok"):
                for other in made:
                    dropped = {"dropIndexes": coll, "index": other["index"], "$db": db}
                    await ask(dropped)
                message = self._duplicate(db, coll, answer["errmsg"])
                return {"ok": 0.0, "code": 11000, "codeName": "DuplicateKey", "errmsg": message}
            made.append({"index": _nx_name(coll, keys)})
        return {"ok": 1.0}

    def _keys(self, command: Doc, index: str) -> str:
        """The keys of an index, as they stand in the name nx-27017 gives it."""
        prefix = f"idx_{command['dropIndexes']}_"
        for (db, nx_name), name in self._names.items():
            if db == command["$db"] and name == index and nx_name.startswith(prefix):
                return nx_name.removeprefix(prefix)
        return index

    def _duplicate(self, db: str, coll: str, message: str) -> str:
        """Its message of a taken value, as MongoDB words it."""
        found = _UNIQUE.search(message)
        if found is None:
            return message
        index = self._names.get((db, found["index"] or ""), found["index"] or "_id_")
        return f"E11000 duplicate key error collection: {db}.{coll} index: {index} dup key: {{}}"

    # Pipelines

    async def _aggregate(self, command: Doc, ask: Ask) -> Doc:
        command["pipeline"] = pipeline = _plain(command["pipeline"])
        if pipeline[-1].get("$group", {}).get("_id") == 1:
            return await self._count(command, ask)
        for at, stage in enumerate(pipeline):
            if "$lookup" in stage:
                command["pipeline"] = pipeline[:at]
                return await self._look_up(stage["$lookup"], command, ask)
        return await ask(command)

    async def _count(self, command: Doc, ask: Ask) -> Doc:
        """In a pipeline it finds what is null by `$exists`; in a find it does not."""
        stages = {key: value for stage in command["pipeline"] for key, value in stage.items()}
        find = {"find": command["aggregate"], "filter": stages.get("$match", {})}
        find |= {"limit": stages.get("$limit", 0), "batchSize": 1_000_000, "$db": command["$db"]}
        found = len((await ask(find))["cursor"]["firstBatch"])
        return _one_batch(command, [{"_id": 1, "n": found}] if found else [])

    async def _look_up(self, lookup: Doc, command: Doc, ask: Ask) -> Doc:
        """It gives what a `$lookup` finds as text, and knows no pipeline in it."""
        outer = (await ask(command))["cursor"]["firstBatch"]
        wanted = [doc[lookup["localField"]] for doc in outer]
        find = {
            "find": lookup["from"],
            "filter": {lookup["foreignField"]: {"$in": wanted}},
            "projection": lookup["pipeline"][0]["$project"],
            "batchSize": 1_000_000,
            "$db": command["$db"],
        }
        inner = (await ask(find))["cursor"]["firstBatch"] if wanted else []
        by_value = {doc[lookup["foreignField"]]: doc for doc in inner}
        found = [
            {"_id": doc["_id"], lookup["as"]: [by_value[doc[lookup["localField"]]]]}
            for doc in outer
            if doc[lookup["localField"]] in by_value
        ]
        return _one_batch(command, found)


_DOT = "__dot__"
_IGNORED = ("hint", "readConcern", "writeConcern", "$clusterTime", "maxTimeMS", "let")


def _nx_name(coll: str, keys: str) -> str:
    return f"idx_{coll}_{keys}"


def _one_word(coll: str) -> str:
    """It allows no dots in the name of a collection."""
    return coll.replace(".", _DOT)


def _one_batch(command: Doc, docs: list[Doc]) -> Doc:
    namespace = f"{command['$db']}.{command['aggregate']}"
    return {"ok": 1.0, "cursor": {"id": 0, "ns": namespace, "firstBatch": docs}}


def _plain(conditions: Any) -> Any:
    """It knows no list of types. What is meant is: there and not null, which is its `$exists`."""
    if isinstance(conditions, list):
        return [_plain(each) for each in conditions]
    if not isinstance(conditions, dict):
        return conditions
    plain = {key: _plain(value) for key, value in conditions.items() if key != "$type"}
    if "$type" in conditions:
        plain["$exists"] = True
    return plain
