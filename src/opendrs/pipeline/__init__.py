"""The only data loop: load, catch up, follow. Knows the model's protocols and no engine."""
