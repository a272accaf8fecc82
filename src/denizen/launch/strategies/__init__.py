"""The ways to start a program, one module each, and the table that orders them."""
