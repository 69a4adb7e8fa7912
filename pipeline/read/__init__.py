"""Step 1, read: a CSV or Excel file becomes a Sheet: the cells as they are, each with its true position.

sheet         entry point
source        the bytes, read once; ``limits`` how much a file may hold, ``kinds`` its type by content
process       parent side of the reading process; ``protocol`` its request and its answer
readers       one for each of many files, forked from a loaded process, ``fork_server``
child         the reading process; ``parse`` its work
guard         checks against hostile or broken workbooks; ``container`` the zip for the reader
csv_file      CSV; ``text`` its decoding
xlsx_file     workbooks; ``worksheets`` their sheets, ``xlsx_page`` one of them, ``xlsx_table`` its table,
              ``xlsx_looks`` what a person sees of its cells; ``strings`` and ``formats`` how texts are shown
fast_scan     what the reader omits: positions, formulas, merges; ``full_scan`` the same for any XML
hidden        what a person does not see; ``styles`` and ``colours`` how cells look, ``remarks`` comments on them
header        the header row; ``beside`` checks of everything outside the one table
lost_faults   what an earlier run rejected a row for and our results do not show any more
table         what every reader returns; ``grid`` positions, ``origin`` the batch of a workbook of ours
"""
