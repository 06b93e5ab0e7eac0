"""What is a good day? Seconds, metres, tasks and crews in; a plan and its reasons out.

A library that someone could use alone: it knows no clock, no database and no debtor. `problem` and `plan` are the
values, `format` their JSON, `checking` the judge of any plan, `solver` the face of the search and `travel` the road.
Importing the values, the format or the judge loads neither numpy nor a solver.
"""
