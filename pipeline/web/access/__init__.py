"""Log-in and accounts.

routes       their addresses
backend      who a session belongs to
passwords    how a password is kept, and which are refused
sessions     sessions on the server: their beginning, use and end
factors      second factors: who needs one, which there are
adapter      what the library of second factors asks of us
log_in       log-in and log-out
"""
