#!/bin/sh
# Instala anular para este usuario, sin root. Se puede repetir. Necesita internet la primera vez, para Python.
set -eu
aqui=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
raiz=${XDG_DATA_HOME:-$HOME/.local/share}/anular-programa
version=$(cat "$aqui/version.txt")
python=$(cat "$aqui/python.txt")
nueva=$raiz/v/$version
antes=
[ ! -e "$raiz/actual.txt" ] || antes=$(cat "$raiz/actual.txt")
export UV_NO_CONFIG=1 UV_PYTHON_INSTALL_DIR="$raiz/python"
[ ! -d "$aqui/python" ] || export UV_PYTHON_INSTALL_MIRROR="file://$aqui/python"
umask 077
mkdir -p "$raiz/v" "$HOME/.local/bin"

# Antes de actualizar, la versión de antes guarda una copia de cada historial: nada puede estar enviando.
if [ -n "$antes" ] && [ "$antes" != "$version" ] && [ -x "$raiz/v/$antes/bin/anular" ]; then
    copias=${XDG_DATA_HOME:-$HOME/.local/share}/anular-copias
    mkdir -p "$copias"
    "$raiz/v/$antes/bin/anular" backup "$copias" --all --idle || {
        echo "No se actualizó: el motivo está arriba. Sigue la versión $antes." >&2; exit 1; }
fi

if [ ! -e "$nueva/listo.txt" ]; then
    rm -rf "$nueva"
    # Un Python de este equipo sirve si es de esa versión; si no, se descarga uno.
    "$aqui/uv" venv --quiet --python-preference managed --python "$python" "$nueva" || {
        echo 'No se pudo preparar Python. La primera vez hace falta internet. No se cambió nada de lo instalado.' >&2; exit 1; }
    "$aqui/uv" pip install --quiet --no-cache --python "$nueva/bin/python" --offline --no-index --no-deps \
        --find-links "$aqui/ruedas" --require-hashes -r "$aqui/requirements.txt" || {
        echo 'No se pudo instalar: un archivo falta o no es el que debe ser. No se cambió nada de lo instalado.' >&2; exit 1; }
    "$nueva/bin/anular" --version
    cp "$aqui/ejemplo.xlsx" "$nueva/ejemplo.xlsx"
    echo "$version" > "$nueva/listo.txt"
fi
[ -z "$antes" ] || [ "$antes" = "$version" ] || echo "$antes" > "$raiz/anterior.txt"
echo "$version" > "$raiz/actual.txt"
for guion in anular.sh volver.sh; do
    cp "$aqui/$guion" "$raiz/$guion"
    chmod 700 "$raiz/$guion"
done
ln -sf "$raiz/anular.sh" "$HOME/.local/bin/anular"
echo "Listo: anular $version. El comando es $HOME/.local/bin/anular; para empezar: anular init"
[ -z "$antes" ] || [ "$antes" = "$version" ] || echo "Para volver a la versión $antes: $raiz/volver.sh"
