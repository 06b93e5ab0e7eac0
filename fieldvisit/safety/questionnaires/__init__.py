"""The questions before a visit, as data: one file for each version, none of which is ever changed."""
