"""T40: every state that a visitor, two officers, two engines, time and a power cut can bring about, one by one.

It is the product's own code that moves, over the real database: a state is put there, a use case runs in a transaction
that is taken back afterwards, and what it left is read. Nothing of a state machine is written down here a second time.
"""
