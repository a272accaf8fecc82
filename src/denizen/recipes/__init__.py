"""Recipes: `recipe.toml` files, the derivations they become, and the generic builder of these."""
