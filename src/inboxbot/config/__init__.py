"""The settings: one TOML file, every key explained in `config.example.toml`."""
