"""The commands: one file a group, thin. Each says what it does through the rooms and prints the result."""
