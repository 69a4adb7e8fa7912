#!/bin/sh
# Vuelve a la versión de antes, si esa puede leer el historial de envíos, que no se toca.
set -eu
raiz=${XDG_DATA_HOME:-$HOME/.local/share}/anular-programa
if [ ! -e "$raiz/anterior.txt" ] || ! antes=$(cat "$raiz/anterior.txt") || ! "$raiz/v/$antes/bin/anular" --version; then
    echo 'No hay una versión de antes. No se cambió nada.' >&2
    exit 1
fi
# La versión de antes copia el historial: si no puede leerlo, porque la nueva ya lo puso al día, no se vuelve a ella.
copias=${XDG_DATA_HOME:-$HOME/.local/share}/anular-copias
mkdir -p "$copias"
"$raiz/v/$antes/bin/anular" backup "$copias" --all --idle || {
    echo "No se volvió: el motivo está arriba. Si el historial ya es de la versión nueva, restaure antes la copia de $copias" >&2
    exit 1; }
ahora=$(cat "$raiz/actual.txt")
echo "$antes" > "$raiz/actual.txt"
echo "$ahora" > "$raiz/anterior.txt"
echo "Listo: desde ahora anular es la versión $antes. Para deshacerlo, ejecute esto otra vez."
