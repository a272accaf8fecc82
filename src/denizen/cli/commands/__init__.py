"""One module per command group: parse, call one function of `app`, draw the result."""
