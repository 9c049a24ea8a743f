"""The directory: people, departments and their tree, and how people are found.

Promises:

- A person's id never changes and is never given to somebody else; retired people stay known by id.
- A search names people by any reading of their name and answers from memory within milliseconds.
- What one node committed it sees at once. Nothing here asks whether somebody may see a person:
  everybody who is signed in sees everybody who works here.
"""

from server.directory.audience import Audience, check_audience, includes, people_of
from server.directory.cards import PersonCard, avatar_hue, card_of
from server.directory.directory import Directory
from server.directory.documents import Department, Person, Post, WeComChange
from server.directory.presence import Presence
from server.directory.wecom_state import SyncState
from server.storage.document import Document

DOCUMENTS: tuple[type[Document], ...] = (Person, Department, WeComChange, SyncState)

__all__ = [
    "DOCUMENTS",
    "Audience",
    "Department",
    "Directory",
    "Person",
    "PersonCard",
    "Post",
    "Presence",
    "WeComChange",
    "avatar_hue",
    "card_of",
    "check_audience",
    "includes",
    "people_of",
]
