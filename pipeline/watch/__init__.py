"""The drop folder (interface.md 6): wait until complete, claim, hand on under the written policy, settle, note.

loop          one pass after the other, until asked to end
scan          one pass: claim what is complete, company by company
places        what lies where; ``belonging`` which ledger the folder is of
arrival       when a file is complete
claim         taking and putting away, safe at any kill
manifest      what came with the file; ``policy`` what may be sent unattended
process       one company's files through the five steps; ``queue_bridge`` the same with workers that send
note          the text beside the file; ``renewal`` that text again after an approval
"""
