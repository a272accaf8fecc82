"""File trees on their way between disk and NAR, hashed and scanned for references."""
