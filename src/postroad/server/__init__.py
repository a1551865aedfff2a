"""Server: the service over HTTP."""
