"""What every part of the program stands on, and none of its rules.

clock           the time, passed in
shutdown        being asked to stop
failpoints      named places at which a test ends the program
internal_error  what a bug says: kind and place, no values
"""
