"""What each command does, without parsing words or printing: sessions, decisions, resolutions, environments."""
