"""Makes things happen: one process per running job, and the supervisor that watches over them.

supervisor -> watch -> child (a process) -> replicate -> pipeline, engines
"""
