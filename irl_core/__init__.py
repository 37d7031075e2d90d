"""Errata's research library: see where a math solution goes wrong."""
