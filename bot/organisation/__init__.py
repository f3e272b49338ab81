"""Departments, roles, people: how they are described in a file, imported, found and shown."""
