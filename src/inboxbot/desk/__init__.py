"""The desk: every change of a case or a letter goes through here, one verb a file."""
