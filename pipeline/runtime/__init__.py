"""Runtime services that every part of the program uses, without any of its rules.

clock           the time, passed in
shutdown        the request to stop
garbage         the search for garbage, paused while much is made
failpoints      named places at which a test ends the program
atomic_file     a file that is complete or does not exist
os_error        errors of the operating system in Spanish
tls             TLS contexts for connections
allocator       memory that is given back to the system
core_dumps      no core dump where secrets are in memory
internal_error  the error after a bug: kind and place, no values
"""
