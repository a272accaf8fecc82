"""Changes to files so that they run elsewhere: ELF files patched, whole trees given another prefix (pure)."""
