"""The state store: jobs, leases, checkpoints, progress, events and proofs, in SQLite or PostgreSQL.

One file a noun, with functions that take a connection; `database.open_store` gives connections.
Nothing below `store` knows of it, and it knows no engine and no pipeline.
"""
