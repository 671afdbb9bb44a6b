"""A picture is encoded once: the encoder behind tiers in memory and in a folder, and encoding ahead."""
