"""The mailbox room: one IMAP connection, what is fetched over it, and the workers that read what came."""
