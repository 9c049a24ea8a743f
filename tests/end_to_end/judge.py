"""The judge: reads histories and what lies in the phones, and counts what must not be.

    python tests/end_to_end/judge.py FOLDER

FOLDER holds one `<person>.jsonl` per sender (what was tried, acked, shown), `kept.json` (each
conversation as read from the server at the end), `phones.json` (what each phone shows) and `owed.json`
(who was away from which conversations, and which documents waited for whom). It knows nothing of the
server but these files. Prints the counts as JSON; the exit status is 0 when all of them are 0.
"""

import json
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any


def judge(folder: Path) -> dict[str, int]:
    """The counts by what they count."""
    histories = {
        file.stem: [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in sorted(folder.glob("*.jsonl"))
    }
    kept: dict[str, list[dict[str, Any]]] = json.loads((folder / "kept.json").read_text())
    phones: dict[str, list[dict[str, Any]]] = json.loads((folder / "phones.json").read_text())
    owed = json.loads((folder / "owed.json").read_text())
    return {
        **_messages(histories, kept),
        **_screens(histories, kept),
        **_phones(kept, phones, owed),
    }


def _messages(
    histories: dict[str, list[dict[str, Any]]], kept: dict[str, list[dict[str, Any]]]
) -> dict[str, int]:
    places = {
        (m["sender_id"], m["client_id"]): (conversation, m["seq"], m["message_id"])
        for conversation, messages in kept.items()
        for m in messages
    }
    acked = [line for lines in histories.values() for line in lines if line["what"] == "acked"]
    tried = {
        (line["person"], line["client_id"])
        for lines in histories.values()
        for line in lines
        if line["what"] == "tried"
    }
    copies = Counter((m["sender_id"], m["client_id"]) for ms in kept.values() for m in ms)
    return {
        "lost": sum(
            places.get((a["person"], a["client_id"]))
            != (a["conversation"], a["seq"], a["message_id"])
            for a in acked
        ),
        "phantom": sum(key not in tried for key in places if not key[1].startswith("seed-")),
        "doubled": sum(n - 1 for n in copies.values()),
        "gaps": sum(
            [m["seq"] for m in messages] != list(range(1, len(messages) + 1))
            for messages in kept.values()
        ),
    }


def _screens(
    histories: dict[str, list[dict[str, Any]]], kept: dict[str, list[dict[str, Any]]]
) -> dict[str, int]:
    inverted = doubled = unannounced = missing = 0
    for lines in histories.values():
        shown: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in lines:
            if line["what"] == "shown":
                shown[line["conversation"]].append(line)
        unannounced += sum(line["what"] == "gap" for line in lines)
        for conversation, seen in shown.items():
            numbers = [line["seq"] for line in seen]
            inverted += sum(b < a for a, b in pairwise(numbers))
            doubled += len(numbers) - len(set(numbers))
            wanted = range(numbers[0], len(kept[conversation]) + 1)
            missing += len(set(wanted) - set(numbers))
    return {
        "inverted_on_screen": inverted,
        "doubled_on_screen": doubled,
        "missing_on_screen": missing,
        "gaps_on_screen": unannounced,
    }


def _phones(
    kept: dict[str, list[dict[str, Any]]],
    phones: dict[str, list[dict[str, Any]]],
    owed: dict[str, Any],
) -> dict[str, int]:
    lost = 0
    for person, conversations in owed["conversations"].items():
        for conversation in conversations:
            others = [m["sent_at"] for m in kept[conversation] if m["sender_id"] != person]
            rung = [
                card["received_at"]
                for card in phones[person]
                if f"/c/{conversation}?" in card["url"]
            ]
            lost += bool(others) and max(rung, default=0) < max(others)
    documents = 0
    again = 0
    for person, requests in owed["documents"].items():
        for request in requests:
            cards = [card for card in phones[person] if f"/d/{request}?" in card["url"]]
            documents += not cards
            again += max(0, len(cards) - 1)
    for cards in phones.values():
        again += sum(n - 1 for n in Counter(card["notice_id"] for card in cards).values())
    return {"pushes_lost": lost, "documents_lost": documents, "twice_on_a_phone": again}


if __name__ == "__main__":
    counts = judge(Path(sys.argv[1]))
    print(json.dumps(counts))
    sys.exit(any(counts.values()))
