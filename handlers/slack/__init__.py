"""Slack: translate in, render out, nothing else. `surface.make_slack` puts the pieces together."""
