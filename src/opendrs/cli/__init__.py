"""The command `opendrs`: arguments in, words and exit codes out. The work is done by workers."""
