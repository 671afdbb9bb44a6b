"""What the graphs of an export look like: the native bundle, and the six files of X-AnyLabeling."""
