"""E-mail: digests and nudges as letters."""
