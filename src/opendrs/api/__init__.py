"""The HTTP API: who may call, what is understood, and what is answered. It opens no user's database."""
