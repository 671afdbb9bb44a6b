"""Reading of frames from videos, folders, cameras and arrays."""
