#!/bin/sh
# La versión de anular que está en uso.
set -eu
raiz=${XDG_DATA_HOME:-$HOME/.local/share}/anular-programa
exec "$raiz/v/$(cat "$raiz/actual.txt")/bin/anular" "$@"
