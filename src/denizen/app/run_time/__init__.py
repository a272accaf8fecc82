"""Answers to running programs: libraries, files and commands that they miss are brought while they wait."""
