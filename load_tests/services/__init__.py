"""Real services for tests and measurements: started on free ports, in a folder of the run, and ended with it."""
