"""Installation of chosen packages into the store, and the repair of what was installed."""
