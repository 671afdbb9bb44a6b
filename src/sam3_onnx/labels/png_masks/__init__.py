"""PNG maps of classes or instances, a label format for training semantic segmentation models."""
