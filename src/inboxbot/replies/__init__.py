"""Replies: from a case to a letter that a person can approve as it stands. Pure; templates are this room's own data."""
