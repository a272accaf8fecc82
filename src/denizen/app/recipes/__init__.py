"""Recipes: what `denizen build` does."""
