"""The pure heart: messages in, actions out. Standard library only.

Nothing in this room waits, reads a clock, draws a random number, logs, or touches a file or a socket
(tests/test_house.py holds it to that); whatever it needs from outside is handed in as a value.
"""
