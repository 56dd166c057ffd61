"""The DRS API over HTTP: one operation, one file. No driver, no connection to a user's database."""
