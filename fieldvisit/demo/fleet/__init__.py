"""A simulated fleet: phones that live through a day with a bad connection, over real HTTP and the typed client.

doings     what a phone's owner does at each door, as the events that the phone will tell
outbox     what a phone has to tell, on its disk: an app that starts again has lost nothing
line       the connection: it loses requests, loses answers, and says things twice
phone      one phone: its clock is wrong, its app starts again, it may be revoked
running    all of them at once, and what they noted
comparing  what the server holds, against what the phones did
"""
