"""The rules, one a file; a tuple registers them."""
