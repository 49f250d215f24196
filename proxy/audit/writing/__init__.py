"""Writing the log: events become blocks on the disk, signed, rotated, compressed and, one day, removed."""
