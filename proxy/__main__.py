"""`python -m proxy` is `hushwire`."""

from proxy.cli import main

main()
