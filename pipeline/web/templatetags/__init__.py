"""Tags of our templates.

anular       words with values, a field of a form
"""
