"""Small services to run Hushwire in front of; one file each, none knows that a proxy exists.

They import nothing from proxy/, keep no state on disk and log no payload.
"""
