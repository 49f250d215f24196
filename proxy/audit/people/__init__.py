"""Who it was about, without knowing them: keys, fingerprints, looking up, erasing, and what must be kept."""
