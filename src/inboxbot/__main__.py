"""`python -m inboxbot`: the same as the command `inboxbot`."""

from inboxbot.cli.main import main

main()
