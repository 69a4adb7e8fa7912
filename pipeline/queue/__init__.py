"""Work queue on the ledger's PostgreSQL: one machine hands batches in, another one sends them (decision 0062).

enqueue      takes a file into the ledger and the queue
jobs         the job of a batch, and work without one
app          procrastinate's tables, and the connection to them
worker       takes jobs, and recovers those of dead workers
profiles     the credentials that a worker serves
job_process  one job, in its own process
health       state of the workers
"""
