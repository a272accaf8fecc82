"""What the dynamic linker would do with a program: glibc's rules and musl's, as tables (pure)."""
