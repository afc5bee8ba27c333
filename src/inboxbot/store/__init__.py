"""The database: tables, engine, migrations, and the functions that turn values into rows and back."""
