"""Program starts: decisions, the loader's configuration, the strategies."""
