"""The parts of the model as they are traced."""
