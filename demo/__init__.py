"""The stand-in facilities of the demo federation: invented science behind imitations of real servers."""
