"""Notices: what a debtor is told, in which words, by which way, and the proof of it."""
