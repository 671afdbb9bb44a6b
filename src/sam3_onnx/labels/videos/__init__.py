"""Label files of videos: what is found on each frame, with the number of each thing."""
