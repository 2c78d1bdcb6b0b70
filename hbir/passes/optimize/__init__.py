"""Passes that keep a float network's meaning: fold, absorb, recognise, mark fusion groups."""
