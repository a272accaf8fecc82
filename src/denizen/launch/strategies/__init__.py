"""The strategies to start a program, and the table that orders them."""
