"""What columns exist, what they are called, and what their values must be (pandera models)."""
