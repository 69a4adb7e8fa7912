"""Ledger: the durable record of what was taken in, what was sent, and what came back. One writer, many views.

tables           the tables, and the rules that the database itself enforces
store            every write, each one transaction; ``writer`` commits several of them together
moves            one move of an attempt, and its result; ``statements`` its compare-and-set SQL, ``values`` columns
scope            whose rows a run may touch; ``cap`` how many may be sent within a time
views            every read: ``snapshot`` a batch at one moment, ``batches`` the list, ``extract`` for the evidence
counts           rows of batches by what decides their outcome; ``kept_counts`` what they were counted to
pages            what a page shows: the newest batches, the most urgent, some rows
search           rows and batches by a code, a document number, a file
decisions        what people decide about one row
chain            the hash chain over the events; ``ledger_events`` appends to it, ``replay`` rebuilds rows from it
verify           whether all of it agrees
codec            values as text
ownership        on which machine a ledger may be used; ``watermark`` its newest state, recorded outside of it
sent             what this machine sent, from any ledger
reserve_journal  outcomes that could not be committed
transfer         moves a whole ledger to another place; ``copying`` its lines
backup           a finished, verified copy beside a run
storage          SQLite and PostgreSQL, and the schema migrations
"""
