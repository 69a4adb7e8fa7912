"""Proposals: prepared by one person, approved by another, and sent for exactly what was approved (approvals.md).

identity    who is at this terminal, as the operating system knows it
content     what a person approves of a file, or of a batch that the drop folder held
steps       what a step writes into the office database
store       proposals in the office database: compare-and-set, one event for each step, the file's bytes
causes      problems of rows by what is wrong
findings    every row of every cause, by pages
review      what a person sees of a checked file, kept with the proposal
reviewing   a plan as a review, by who reads the file
held_batch  a batch that the drop folder held, as a draft
scan        the office's own command that looks at a file before it is kept
uploads     a file handed in by a page: kept as it came, within limits; what became of its check
check_upload  the check of an upload: a draft, or a refusal with what may be chosen instead
places      the private folder of what can be made again
pending     what people have to do about a batch, as its workbook says
row_index   rows of a batch by problem and by issuer, for a page that filters them
downloads   the files of a batch for a page, from the ledger alone
reader      a child without passwords that does one piece of reading or writing; readers starts it
readers     at most two of them, and how far each is
certified   the certificates of the issuers, before an approval and before the sending
decisions   the use cases of people: propose, submit, take back, approve, decline; and what the clock does
carry       an approved proposal carried out: the file read again, within what was approved, through the ledger
stopping    a sending that ends early, by itself or by a person's order: held in the ledger, then in the office
messages    who is told of which step, through the outbox
resend      the same for one row that is sent again
orders      what people ask the sender for on a page: kept, taken by compare-and-set
asking      the use cases of who asks
row_orders  orders about one row, carried out
packs       evidence packs, made by the sender
sender      all orders and proposals in which something is to be done, one after the other, through restarts
turn        one company's turn, in a process of its own
work        what is to be done for which company, in one look
service     whose turn it is

Nothing here draws on a terminal or knows a page. What became of a row is the ledger's; the office only points to it.
"""
