"""Step 3, submit: ready rows -> eDoc, each once.

- ``submit``: the sender; its order is the safety argument
- ``departure``: one request from the claim of its row to its first byte
- ``stop_reasons``: why sending stopped early, in words
"""
