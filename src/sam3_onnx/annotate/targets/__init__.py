"""Where the labels of a folder go: a file for each picture, or one COCO file for all."""
