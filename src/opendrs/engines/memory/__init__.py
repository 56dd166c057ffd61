"""The reference engine: a source and a target in memory, with transactions, a log and a fence.

It states in the fewest lines what the pipeline may expect of an engine. The simulation of
tests/torture/sim runs whole jobs on it, thousands a minute, with crashes at every named place.
"""
