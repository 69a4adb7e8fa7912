"""The work queue on the ledger's PostgreSQL: what one machine hands in another one sends (decision 0062).

enqueue      a file into the ledger and into the queue
jobs         which job a batch has, and which work has none
app          procrastinate's tables, and the way to them
worker       serves: takes jobs and looks after what other workers left
profiles     whom a worker works for
job_process  one job, in a process of its own
health       how the workers are
"""
