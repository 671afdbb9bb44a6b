"""Sessions inside other people's frameworks. One file for each framework."""
