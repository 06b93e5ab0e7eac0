"""Ruin and recreate over flat arrays, compiled by Numba and free of Python's lock.

The search removes strings of neighbouring visits and puts them back greedily with a little blindness, accepting by
simulated annealing (Christiaens and Vanden Berghe, *Slack Induction by String Removals for Vehicle Routing Problems*,
Transportation Science 54(2), 2020). `flat` builds the arrays, `clock` and `timing` know time, `places` where a visit
fits, `ruin`, `recreate` and `anneal` are the search, `pool` keeps the routes met.
"""
