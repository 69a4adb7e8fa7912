"""Certificates of the issuers: recorded, followed, checked before a run. No key, no PIN and no file is kept.

- ``calendar``: working days with Panama's holidays
- ``file``: dates, serial number and RUC read from a certificate's file, in memory only
- ``table``: the CSV that brings many records at once
- ``registry``: the records in the office database, each change judged and logged
- ``imports``: the rows of that CSV become records, all or none
- ``issuers``: whose certificates there should be
- ``check``: whether a batch may be sent with them (C8)
- ``reminders``: mails before they end, once each (C7)
- ``shown``: records in words and as JSON
"""
