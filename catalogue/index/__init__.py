"""Search indexes behind one port; each can be thrown away and rebuilt from the truth."""
