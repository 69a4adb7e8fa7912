"""Certificates of the issuers: recorded, followed, checked before a run. No key, no PIN and no file is kept.

- ``calendar``: working days with Panama's holidays
- ``file``: dates, serial number and RUC read from a certificate's file, in memory only
- ``table``: the CSV that brings many records at once
"""
