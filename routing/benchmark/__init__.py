"""Measuring the solver: days made by chance, public instances, other people's solvers, one table and one picture."""
