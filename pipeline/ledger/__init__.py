"""The durable memory: what was taken in, what was sent, what came back. One writer, many views.

tables           the tables, and the rules that the database itself keeps
store            every write, each one transaction; ``writer`` commits several of them together
scope            whose rows a run may touch; ``cap`` how many may be sent within a time
views            every read: ``snapshot`` a batch of one moment, ``batches`` the list, ``extract`` for the evidence
decisions        what people decide about one row
chain            the hash chain over the events; ``ledger_events`` appends to it, ``replay`` goes through it
verify           whether all of it agrees
codec            how values are written as text
ownership        on which machine a ledger may be used; ``watermark`` how far it had come, kept outside of it
sent             what this machine sent, whichever ledger it was
reserve          outcomes that could not be committed
transfer         a whole ledger to another place; ``copying`` its lines
storage          SQLite and PostgreSQL, and the steps of the schema
"""
