"""The drop folder (interface.md 6): wait until complete, claim, hand on under the written policy, settle, tell.

``places`` what lies where, ``arrival`` when a file is complete, ``claim`` taking and putting away, crash-safe,
``manifest`` and ``policy`` what may be sent unattended, ``shift`` the five steps, ``desk`` the queue in the place of
sending and asking, ``note`` the words beside the file, ``renewal`` those words
again after an approval, ``once`` one pass, ``forever`` pass after pass, ``ending`` being
asked to stop.
"""
