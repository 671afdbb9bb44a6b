"""What stays in the memory of a device between two graphs, such as a graphics card's."""
