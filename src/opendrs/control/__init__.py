"""What users may ask of jobs, and what that means: the verbs behind the API.

Nothing here opens a user's database: what has to, is written down for a worker. Nothing here knows how things
are spelled on the wire.
"""
