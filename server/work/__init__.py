"""The unit of work: what is stored, recorded, owed and announced together or not at all.

A handler reads and writes through `work` only. Nothing it writes is visible before the commit, so a
handler may be run again when somebody else was faster; it must have no effect outside. Numbers of log
entries are known only at the commit: answers that need one are given as a function (`Later`).

The commit's completion, called by the store in commit order, publishes the events and then lets the
answer go. A repeat of something already done (same sender, same client id) is answered from what was
stored the first time and announced to nobody.
"""

from server.work.entry import LOG, Entry
from server.work.log import LogReader
from server.work.system import SystemWork
from server.work.unit import Later, UnitOfWork

__all__ = ["LOG", "Entry", "Later", "LogReader", "SystemWork", "UnitOfWork"]
