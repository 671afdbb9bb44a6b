"""Models: export families, and the runtime that runs their graphs. Imports nothing, so that parts load alone."""
