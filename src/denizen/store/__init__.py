"""The content-addressed store: objects, their references, and what keeps them alive."""
