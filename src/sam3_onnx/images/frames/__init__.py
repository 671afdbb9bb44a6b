"""Frames of videos, folders, cameras and arrays, as the pictures that a model takes."""
