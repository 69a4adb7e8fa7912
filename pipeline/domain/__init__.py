"""The rules, without input or output.

cufe             the code of an invoice; ``ruc`` a taxpayer's number, ``pasted`` what people paste instead
fields           reason and e-mail; ``payload`` what is sent of a row, ``visible`` text from outside made harmless
columns          which headings mean what; ``problems`` every reason why a row or file is not sent
deadline         the legal limit; ``eligibility`` where a code stands against it, ``schedule`` when to query again
duplicates       one CUFE in several rows
edoc_states      the eDoc states and what an answer proves
lifecycle        our states of a row, and every legal move
outcomes         the words in ``resultado``; ``actions`` what to do about each
circuit_breaker  how many may be sent at once, and when to stop
records          what passes between the steps; ``many`` a hundred thousand of them
errors           the error tree; ``commands`` commands that a text suggests
"""
