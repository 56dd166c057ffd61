"""Whether two sides hold the same rows. Computed where the data is; only sums travel."""
