"""An export held against the model that it came from."""
