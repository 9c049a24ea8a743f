"""Acting on the OA's documents in somebody's name, wherever the person said so: on a page or on a card.

What both share stands here: which documents a plain yes is enough for (`plain_yes`), what is kept of an act
(`documents`), and the one way in which the OA is told and its answer found out (`acts`).
"""
