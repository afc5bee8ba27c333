"""From the bytes a server gave to a `Mail`: headers, text, new words, sender.

Pure; never raises on bad mail but `UnreadableError`.
"""
