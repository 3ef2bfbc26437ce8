"""The command line: sets up, trains, starts and stops the parts of the desk."""
