"""inboxbot: the assistant in a small company's support inbox that knows data-protection rights."""

__version__ = "0.1.0"
