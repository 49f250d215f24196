"""Commands of the command line, one file each; proxy/cli.py lists them."""
