"""Messages that leave the product: claimed under a lease, handed to a provider, and what became of them by receipt.

What alarms and notices have in common. Whom they go to, what they say and how long one tries is theirs.
"""
