"""Maps of classes or instances as PNG, which trainers of semantic models read."""
