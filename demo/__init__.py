"""The demo federation: stand-in facilities, a real identity server and a real JupyterHub on this machine."""
