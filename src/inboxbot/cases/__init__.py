"""Cases: states, history, clocks, threading and what becomes of a mail. Pure: time is an argument."""
