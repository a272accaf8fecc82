"""Views: results drawn for people, as trees, tables and progress."""
