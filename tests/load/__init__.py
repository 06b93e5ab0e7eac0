"""How fast the phone's API is: figures with how to see them again."""
