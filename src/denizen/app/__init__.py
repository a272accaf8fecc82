"""The operations behind the commands: no word is parsed here and nothing printed."""
