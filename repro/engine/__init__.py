"""Images and containers: the only part of `repro` that knows the engine's API."""
