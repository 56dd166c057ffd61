"""What is raised of a store that cannot be read."""

from __future__ import annotations


class Unreadable(Exception):
    """Why, fit to follow a colon: in words for people, without anything of what is in the store or of a password."""
