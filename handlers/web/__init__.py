"""The page: the whole conversation in a browser, drawn on the server, live by one small script."""
