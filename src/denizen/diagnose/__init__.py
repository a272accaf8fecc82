"""What is wrong with a program on this machine, all of it at once, and what would mend it (pure)."""
