"""What answers: one head for concepts, one for clicks."""
