"""The visitor's day as the phone lives it: pulled once, told step by step, late, out of order and more than once."""
