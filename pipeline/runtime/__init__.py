"""What every part of the program stands on, and none of its rules.

clock           the time, passed in
shutdown        a signal asks, and what runs ends itself
failpoints      named places at which a test ends the program
atomic_file     a file is whole, or not there
tls             the contexts of connections
internal_error  what a bug says: kind and place, no values
"""
