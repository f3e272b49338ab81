"""Microsoft Teams: messages as Adaptive Cards."""
