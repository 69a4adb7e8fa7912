"""anular: cancel electronic invoices listed in a spreadsheet, and prove what became of each.

read      file -> Sheet                    text cells with their true positions
validate  Sheet -> Checked                 accepted cancellations, and every problem of every other row
submit    ready rows -> eDoc               intent durable before the request, one POST per CUFE
poll      pending rows -> eDoc             query until final or out of time
report    ledger -> results workbook       nothing computed that the ledger does not prove

``run`` takes one file through the five steps; ``ledger`` remembers; ``edoc`` speaks to the provider;
``domain`` holds the rules; ``sandbox`` is a local eDoc for the demo and the tests; ``telemetry`` publishes what
happened; ``runtime`` is what all of them stand on.
"""
