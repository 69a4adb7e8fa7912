#!/bin/sh
# anular a mano, como root: con el usuario, la configuración y las carpetas de las tareas programadas. Con otras no vería su historial de envíos.
# install -m 755 anular.sh /usr/local/bin/anular
umask 027
exec runuser -u anular -- env HOME=/srv/anular ANULAR_CONFIG=/srv/anular/anular.toml \
    XDG_DATA_HOME=/srv/anular/datos XDG_STATE_HOME=/srv/anular/estado /opt/anular/.venv/bin/anular "$@"
