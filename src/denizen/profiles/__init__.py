"""Profiles: installed things as generations of one tree of links, and what a package exports into it."""
