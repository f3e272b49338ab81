"""What is kept about one person, as a file for them, and its end."""
