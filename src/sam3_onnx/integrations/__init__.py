"""How is a session used inside what other people's frameworks run? One file for each framework."""
