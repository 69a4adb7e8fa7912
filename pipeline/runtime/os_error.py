"""Operating-system errors in Spanish: what went wrong with a file or a folder, without its name."""

from __future__ import annotations

import errno

_WORDS = {
    errno.ENOSPC: "el disco está lleno",
    errno.EDQUOT: "se alcanzó la cuota de disco",
    errno.EACCES: "no hay permiso",
    errno.EPERM: "no hay permiso",
    errno.EROFS: "el disco es de solo lectura",
    errno.EIO: "error de lectura o escritura del disco",
    errno.ENOENT: "no existe",
    errno.ENOTDIR: "una parte de la ruta no es una carpeta",
    errno.EISDIR: "es una carpeta",
    errno.ENAMETOOLONG: "el nombre es demasiado largo",
    errno.EFBIG: "el archivo llegó a su tamaño máximo",
    errno.ENOMEM: "falta memoria",
    errno.EMFILE: "hay demasiados archivos abiertos",
    errno.EBUSY: "otro programa lo está usando",
}


def os_words(error: OSError) -> str:
    """A short text for ``error``; the system's own where there is none."""
    return _WORDS.get(error.errno or 0, error.strerror or type(error).__name__)
