"""The rules, without input or output.

cufe             the code of an invoice; ``ruc`` a taxpayer's number, ``pasted`` what people paste instead of a code
fields           reason and e-mail; ``payload`` the identity of what is sent, ``visible`` outside text made safe to show
columns          the columns and their headings; ``problems`` every reason why a row or file is not sent
deadline         the legal limit; ``eligibility`` whether a code may be sent, ``schedule`` when to query again
duplicates       one CUFE in several rows
edoc_states      the eDoc states and what an answer proves
lifecycle        our states of a row, and every legal move
outcomes         the values of ``resultado``; ``actions`` what to do about each
circuit_breaker  how many may be sent at once, and when to stop
row_labels       a row as a person names it
lookup           what a text may name that a person searches for
proposals        the states of a proposal, who may do what; ``approval_digest`` what exactly is approved
records          the records that pass between the steps; ``approved_by`` who approved what
errors           the error tree; ``commands`` commands that a text suggests
"""
