"""From an approved letter to the SMTP server's answer, phase by phase, and never twice."""
