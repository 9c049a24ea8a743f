"""A group of the app shown in WeCom as well: who is in it, its name and, if wanted, its messages.

The conversation's log is what has to be told; a `Mirror` beside it says how far the telling has come. A
change of the group therefore owes nothing more than it stores anyway, and groups that are not shown in
WeCom cost nothing. The node that leads reads on from there (`mirrors.py`), one call of a group at a time
and in the order of the log (`following.py`), with its bytes stored before the call (`telling.py`).

Nothing of a conversation of two ever comes here: only a group has an owner who could wish it.
"""
