"""Reading the log: an index, and the questions that it answers."""
