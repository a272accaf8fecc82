"""The command groups, a module each: parse, call one function of `app`, draw the result."""
