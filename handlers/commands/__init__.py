"""The commands of `stagecoach`, one module per group: each reads, calls one use case and prints."""
