"""The nouns: frozen dataclasses and protocols, one file each, and nothing else.

Imports the standard library and `opendrs.errors` only. What is persisted (catalog, position,
checkpoint) has a JSON form whose names are for ever.
"""
