"""Settings (interface.md 3).

- ``model``: every setting with its unit and default
- ``load``: one profile, read from the environment and the TOML file
- ``companies``: what of a profile is its own and comes from nowhere else
"""
