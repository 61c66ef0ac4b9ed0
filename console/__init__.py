"""What people operate: the command line."""
