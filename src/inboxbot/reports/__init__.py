"""Honest figures: how many were answered in time out of all that came, and which legal dates were kept. Pure."""
