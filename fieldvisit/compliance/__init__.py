"""May this be done, then, there, by them? Pure: values in, a decision out; no clock, no database.

policy        the typed rules of one jurisdiction or house      loading       TOML → policy; the presets
facts         what is known of a debtor, a place and a crew     merging       several policies as one set of terms
evaluate      question + facts + policies → decision            decision      the answer, its record, its hash
windows       the lawful hours of a day, as UTC instants        calendars     holidays
prior_effort  has the phone demonstrably failed?                counting      caps
stops, permission, hours, staffing   the other steps of a decision; inquiry: what they share
intervals, wallclock                 spans of instants; what clocks on the wall show
"""
