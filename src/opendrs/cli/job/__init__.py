"""`opendrs job ...`: jobs of a service, through its API. Each command is a function in a file of this folder."""
