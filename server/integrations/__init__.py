"""The systems outside: WeCom and the OA, each a port with a real adapter.

A folder is a port. Its `__init__.py` states what may be relied on in words of the product; the
files beside it speak the other system's language, and nothing else in the product does.
"""
