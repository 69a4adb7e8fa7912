#!/bin/sh
# Vuelve a la versión de antes. El historial de envíos no se toca: si es de la versión nueva, la de antes no lo abre.
set -eu
raiz=${XDG_DATA_HOME:-$HOME/.local/share}/anular-programa
if [ ! -e "$raiz/anterior.txt" ] || ! antes=$(cat "$raiz/anterior.txt") || ! "$raiz/v/$antes/bin/anular" --version; then
    echo 'No hay una versión de antes. No se cambió nada.' >&2
    exit 1
fi
ahora=$(cat "$raiz/actual.txt")
echo "$antes" > "$raiz/actual.txt"
echo "$ahora" > "$raiz/anterior.txt"
echo "Listo: desde ahora anular es la versión $antes. Para deshacerlo, ejecute esto otra vez."
