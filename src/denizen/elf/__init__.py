"""What an ELF file says about itself, read through program headers alone (pure)."""
