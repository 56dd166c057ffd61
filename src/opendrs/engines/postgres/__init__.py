"""PostgreSQL. README.md beside this file has privileges, settings, limits and traps."""
