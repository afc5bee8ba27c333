"""What runs by itself: rounds over mailboxes, sending, noticing, looking at clocks, and the daemon around them."""
