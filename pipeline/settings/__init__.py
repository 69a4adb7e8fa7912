"""Settings (interface.md 3).

- ``model``: every setting with its unit and default
- ``load``: one profile, read from the environment and the TOML file
- ``companies``: user, password and RUCs, which a profile takes from one place only
"""
