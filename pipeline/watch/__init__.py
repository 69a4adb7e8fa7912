"""Drop folder (interface.md 6): wait until complete, claim, process under the written policy, put away, write the note.

loop          one pass after the other, until the request to stop
scan          one pass: claims complete files, company by company
places        the folders; ``belonging`` the ledger of a folder
arrival       when a file is complete
claim         taking and putting away, safe at any kill
manifest      what came with the file; ``policy`` what may be sent unattended
process       one company's files through the five steps; ``queue_bridge`` the same with workers that send
note          the text next to the file; ``renewal`` that text again after an approval
"""
