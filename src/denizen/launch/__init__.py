"""How a program is started: decisions, the loader's configuration, strategies."""
