"""Step 1, read: a CSV or Excel file becomes a Sheet: the cells as they are, each with its true position.

sheet         the way in
source        the bytes, taken once; ``limits`` how much may be in them, ``kinds`` what they are
process       the parent's side of the process that reads; ``order`` what it is asked, ``protocol`` what it answers
child         that process; ``parse`` what it does
guard         what a hostile or broken workbook may not do; ``container`` the zip that the reader gets
csv_file      CSV; ``text`` its bytes
xlsx_file     workbooks; ``worksheets`` which sheets there are, ``xlsx_page`` one of them, ``xlsx_table`` its table,
              ``xlsx_looks`` what a person sees of its cells; ``strings`` and ``formats`` what cells show
fast_scan     what the reader does not tell: positions, formulas, merges; ``full_scan`` the same for any XML
hidden        what a person does not see; ``styles`` and ``colours`` how cells look, ``remarks`` what is noted on them
header        the one heading; ``beside`` what stands beside the table
table         what every reader hands over; ``grid`` positions, ``origin`` which batch a workbook of ours came from
"""
