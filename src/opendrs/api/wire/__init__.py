"""How things are spelled on the wire, where more than one operation needs it."""
