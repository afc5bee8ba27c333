"""Which rights a mail asks for, how sure that is, and which words say so. Pure."""
