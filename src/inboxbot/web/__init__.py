"""The desk in a browser, and its JSON API. Every change goes through the verbs of `inboxbot.desk`."""
