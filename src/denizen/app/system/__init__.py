"""System profiles for the commands: building a description, activation in a target, generations."""
