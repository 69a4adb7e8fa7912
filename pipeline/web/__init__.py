"""Pages of `anular web`: what people who use no terminal see and do. Django lives here and nowhere else.

roles        what each role may do in a company
routes       every address of the page, with who may ask for it
opening      the site of a process, opened and closed
starting     the address of the first start
serve        the server of the pages
samples      sample people of the sandbox
latest       what many pages look at at once, read once a second
site         what a process of the page works with: companies, clock, office database, key
conf         Django's settings, made from ours
models       accounts, roles, sessions, links, requests, and the log of accesses
company      everything that one person may see of one company: every query goes through it
middleware   what stands before every page: headers, session, roles
headers      the security headers of every answer
gate         what stands before Django: limits of a request's body
frame        what every page shows: company, environment, menu
pages        an answer from a template; forms with their errors
texts        every word on screen
audit        the log of accesses, which nothing changes
access       log-in, accounts, second factors, requests, people
sqlite       Django's way to the office database in a file
asgi         the application that a server serves
mail         mails about accounts
health       whether the page works
trouble      what a person sees when something went wrong
static_files style sheet, script and icon
screens      screens about files, batches and rows
migrate      tables of accounts, made and brought up to date

It opens ledgers for reading only, sends nothing and knows no password of eDoc (docs/spec/web.md).
"""
