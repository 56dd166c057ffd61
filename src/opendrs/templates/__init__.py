"""Files that say what is replicated: empty ones to fill in, filled ones as rows, and what is wrong with each row.

Knows nothing of the API, of stores and of servers: files and rows, no more. What a user has sent is read within
limits, and whatever it is, it is rows or a fault.
"""
