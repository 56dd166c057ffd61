"""One folder per family of databases, the same file names in each. A missing file is a missing capability."""
