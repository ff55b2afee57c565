"""This package is the pages people see: server-rendered, whole without scripts, better with them."""
