"""Made-up messages to measure detection with: clean ones (clean.py), and ones with personal data (personal.py).

All of it is drawn from a seed out of templates written here; nothing was recorded anywhere.
"""
