"""The store: tables, engine, migrations, outbox."""
