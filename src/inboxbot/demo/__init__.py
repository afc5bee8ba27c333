"""The demo: embedded mail servers, an invented inbox, and the whole job done on it. Needs the extra ``demo``."""
