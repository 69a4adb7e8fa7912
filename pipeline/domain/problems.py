"""Problem table: every reason why a row or a file is not sent, with code, Spanish message and remedy.

``problem`` and ``refused`` are the only ways to make one, so every code is in the table. Messages are templates.
``{words}`` is a message of ``cufe.py``, which knows the positions, for an inner part of a CUFE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.domain.errors import CufeInvalid, InputRefused
from pipeline.domain.records import Problem

VALUE_SHOWN = 80
"""How many characters of a bad value are shown."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Meaning of a problem code."""

    #: about a row (``fila``) or the file (``archivo``)
    scope: Literal["fila", "archivo"]
    #: Spanish template
    message: str
    #: what the person can do, in Spanish
    remedy: str = ""


def _row(message: str, remedy: str = "") -> Kind:
    return Kind("fila", message, remedy)


def _file(message: str, remedy: str = "") -> Kind:
    return Kind("archivo", message, remedy)


_COPY_AGAIN = "Cópielo otra vez de la factura."
_PASTE_VALUES = "Escríbalo como texto: formato de celda «Texto» y pegado especial «Valores»."
_RIGHT_TYPE = "Corrija la extensión, o guárdelo otra vez desde Excel."
_SAVE_XLSX = "Ábralo en Excel y guárdelo como «Libro de Excel (.xlsx)»."
_SAVE_AGAIN = "Ábralo en Excel, guárdelo otra vez como .xlsx y vuelva a intentarlo."
_ASK_AGAIN = "No lo abra si no sabe de quién viene; pida a quien lo preparó que lo guarde otra vez como .xlsx."
_SAVE_UTF8 = "Ábralo en Excel, revise los acentos y guárdelo como «CSV UTF-8 (delimitado por comas)»."
_SAVE_BOOK = (
    "Ábralo en el programa con el que se hizo y guárdelo como .xlsx, o como «CSV UTF-8 (delimitado por comas)»."
)
_SPLIT = "Divida el archivo en varios, cada uno con su encabezado, y cárguelos por separado."

KINDS: dict[str, Kind] = {
    # --- a row: the CUFE as a whole
    "cufe-vacio": _row("Falta el CUFE.", "Escríbalo completo, con sus 66 caracteres."),
    "cufe-varios": _row("La celda contiene {count} códigos CUFE distintos.", "Deje uno por fila."),
    "cufe-con-texto": _row(
        "Junto al CUFE hay algo más en la celda: «{words}».",
        "Si esa factura se debe anular, deje en la celda solo el código; si no, borre la fila.",
    ),
    "cufe-sin-fe": _row(
        "El CUFE tiene 64 caracteres y le falta el «FE» del comienzo.",
        "No se completa solo: si el código correcto es {full}, escríbalo así.",
    ),
    "cufe-parecido": _row("El CUFE tiene caracteres que parecen otros: {places}.", "Corríjalos y vuelva a cargar."),
    "cufe-invisible": _row(
        "El CUFE contiene un carácter que no se ve (U+{point}) en la posición {place}.", "Escríbalo otra vez a mano."
    ),
    "cufe-extranjero": _row(
        "Parece un código de {country} ({name}), no un CUFE de Panamá.", "Use el CUFE de la factura panameña."
    ),
    "cufe-cientifico": _row("El CUFE está en notación científica: Excel lo convirtió en número.", _PASTE_VALUES),
    "cufe-numero-suelto": _row("El CUFE es un número y no un código que comienza con FE.", _PASTE_VALUES),
    "cufe-error-excel": _row("La celda contiene el error de Excel «{word}».", "Corrija la celda y escriba el CUFE."),
    "cufe-formula-texto": _row("La celda contiene una fórmula escrita como texto.", _PASTE_VALUES),
    "cufe-reparado-dudoso": _row(
        "Se limpió el CUFE pegado ({what}), pero su dígito verificador no coincide.", _COPY_AGAIN
    ),
    # --- a row: the parts of a CUFE (messages of cufe.py)
    "cufe-longitud": _row("{words}", "Cópielo completo de la factura."),
    "cufe-prefijo": _row("{words}", _COPY_AGAIN),
    "cufe-tipo": _row("{words}", _COPY_AGAIN),
    "cufe-contribuyente": _row("{words}", _COPY_AGAIN),
    "cufe-ruc": _row("{words}", _COPY_AGAIN),
    "cufe-guion": _row("{words}", _COPY_AGAIN),
    "cufe-dv": _row("{words}", _COPY_AGAIN),
    "cufe-sucursal": _row("{words}", _COPY_AGAIN),
    "cufe-fecha": _row("{words}", _COPY_AGAIN),
    "cufe-numero": _row("{words}", _COPY_AGAIN),
    "cufe-punto": _row("{words}", _COPY_AGAIN),
    "cufe-emision": _row("{words}", _COPY_AGAIN),
    "cufe-ambiente": _row("{words}", _COPY_AGAIN),
    "cufe-seguridad": _row("{words}", _COPY_AGAIN),
    "cufe-verificador": _row("{words}", "Revise el código: hay al menos un carácter mal copiado."),
    # --- a row: a valid CUFE that may not be sent
    "otro-ambiente": _row(
        "El CUFE es de un documento de {its} y este ambiente es de {ours}.",
        "Cargue aquí solo documentos de {ours}.",
    ),
    "emisor-no-permitido": _row(
        "El emisor {ruc} no está en la lista de empresas permitidas.",
        "Verifique que el archivo es de su empresa; la lista está en el ajuste ANULAR_ISSUERS.",
    ),
    "plazo-vencido": _row(
        "El plazo legal de {hours} horas venció: la factura es del {issued}.",
        "Emita una nota de crédito (tipo 04) que cite este CUFE.",
    ),
    "conflicto-archivo": _row(
        "El mismo CUFE aparece con otro motivo o correo en {places}.", "Deje una sola versión y vuelva a cargarla."
    ),
    "conflicto-lote": _row(
        "El mismo CUFE ya está en el lote {batch} ({place}) con otro motivo o correo.",
        "Vale lo enviado en ese lote; esta fila no se envía.",
    ),
    "documento-archivo": _row(
        "El mismo documento fiscal (número {number}, punto {point}) aparece con otro CUFE en {places}.",
        "Compare con la factura y deje solo el CUFE correcto.",
    ),
    "documento-lote": _row(
        "El mismo documento fiscal (número {number}, punto {point}) ya se envió con otro CUFE en el lote {batch} "
        "({place}).",
        "Vale lo enviado en ese lote; esta fila no se envía. Compare con la factura.",
    ),
    "sin-constancia": _row(
        "Este libro dice «{word}» para el CUFE, pero este historial de envíos no tiene constancia de ese envío.",
        "No se envía. Use el historial con el que se hizo ese lote, o verifique la factura en el portal; "
        "si nunca se envió, borre la palabra de la columna «resultado».",
    ),
    "apartada-antes": _row(
        "Este libro dice «{word}» para el CUFE: la fila se apartó antes de enviarla, porque está en otro lote o porque "
        "alguien la retiró.",
        "No se envía. Compruebe por qué se apartó; si de verdad debe anularse, borre la palabra de la columna "
        "«resultado» y cárguela otra vez.",
    ),
    "retenida-carpeta": _row(
        "Llegó por la carpeta vigilada y quedó retenida para que una persona la apruebe: {why}.",
        "La aprueba la empresa que la recibió, con el comando release y el número del lote.",
    ),
    "fila-tachada": _row(
        "La fila está tachada en el libro ({cells}): no se envía.",
        "Si se debe anular, quite el tachado y deje solo lo que vale.",
    ),
    "fila-dice-no": _row(
        "La fila dice que no se anule: {what}.", "Si se debe anular, corrija o borre eso y vuelva a cargarla."
    ),
    # --- a row: reason and e-mail
    "motivo-vacio": _row("Falta el motivo de la anulación.", "Escriba entre 15 y 1000 caracteres."),
    "motivo-corto": _row("El motivo es demasiado corto: {count} de al menos 15 caracteres.", "Explíquelo un poco más."),
    "motivo-largo": _row("El motivo es demasiado largo: {count} de hasta 1000 caracteres.", "Resúmalo."),
    "motivo-control": _row(
        "El motivo contiene un carácter de control (U+{point}) en la posición {place}.", "Escríbalo otra vez."
    ),
    "correo-invalido": _row("El correo no parece válido.", "Escriba una sola dirección, como nombre@empresa.com."),
    "correo-varios": _row("Hay más de una dirección de correo.", "Deje solo una."),
    "correo-largo": _row(
        "El correo es demasiado largo: {count} de hasta 100 caracteres.", "Use una dirección más corta."
    ),
    # --- a row: cells that are not text
    "celda-numero": _row("La celda contiene un número y no un texto.", _PASTE_VALUES),
    "celda-fecha": _row("La celda contiene una fecha y no un texto.", _PASTE_VALUES),
    "celda-logica": _row("La celda contiene un valor lógico (VERDADERO o FALSO).", _PASTE_VALUES),
    "celda-error": _row("La celda contiene un error de Excel.", "Corrija la celda y escriba el dato como texto."),
    "celda-formula": _row(
        "La celda contiene una fórmula y su valor puede estar desactualizado.",
        f"{_PASTE_VALUES} O, si está seguro de los valores, use --accept-formulas.",
    ),
    "celda-formula-vacia": _row("La celda contiene una fórmula sin valor calculado.", _PASTE_VALUES),
    "rechazada-antes": _row(
        "La fila se rechazó porque en el archivo original esta celda {what}; aquí ya no se ve.",
        "Corríjala en el libro «corregir» o en su archivo; si aquí el dato ya está bien, borre lo que dicen las "
        "«observaciones» de esta fila.",
    ),
    # --- a row: warnings, which block nothing
    "cufe-revisar": _row("{words}", "Compárelo con la factura; no impide enviarla."),
    "dia-limite": _row(
        "Hoy es el día límite: el plazo de {hours} horas vence según la hora de emisión.", "Envíela cuanto antes."
    ),
    "plazo-advertencia": _row(
        "El plazo legal de {hours} horas ya venció: es probable que la rechacen.",
        "Si la rechazan, emita una nota de crédito (tipo 04) que cite este CUFE.",
    ),
    "fecha-futura": _row("La fecha de emisión {issued} está en el futuro.", "Revise el CUFE."),
    "texto-sospechoso": _row(
        "El motivo parece tener los acentos dañados; quizá debía decir «{maybe}».",
        "Así como está se enviaría: corríjalo, o guarde el archivo como CSV UTF-8 o como .xlsx.",
    ),
    "texto-perdido": _row(
        "El motivo tiene caracteres que ya no se pueden leer («�»): {count}.",
        "Así como está se enviaría: escríbalo otra vez.",
    ),
    "formula-aceptada": _row(
        "Se tomó el valor que la fórmula de esta celda tenía al guardar el libro (--accept-formulas).",
        "Compruebe que es el correcto.",
    ),
    "fila-oculta": _row(
        "La fila estaba oculta o filtrada en el libro, o una de sus celdas no se veía, y se incluyó (--include-hidden)."
    ),
    # --- the file: getting at it
    "archivo-no-existe": _file("No existe el archivo «{name}».", "Revise el nombre y la carpeta."),
    "archivo-con-espacios": _file(
        "El archivo se llama «{name}», y sus espacios separaron el nombre en partes.",
        "Escriba el nombre entre comillas: {order}",
    ),
    "archivo-carpeta": _file("«{name}» es una carpeta y no un archivo.", "Indique el archivo que está dentro."),
    "archivo-abierto": _file(
        "«{name}» está abierto en otro programa y no se puede leer.", "Ciérrelo en Excel y repita el comando."
    ),
    "archivo-permiso": _file("No hay permiso para leer «{name}».", "Pida acceso o cópielo a una carpeta suya."),
    "archivo-especial": _file("«{name}» no es un archivo común (enlace, tubería o dispositivo).", "Use el original."),
    "archivo-ilegible": _file("No se pudo leer «{name}»: {why}.", "Cópielo a otra carpeta y vuelva a intentarlo."),
    "archivo-cambio": _file("«{name}» cambió mientras se leía.", "Ciérrelo en Excel y vuelva a intentarlo."),
    "archivo-vacio": _file("«{name}» está vacío.", "Revise que se haya guardado."),
    "archivo-grande": _file("«{name}» pesa {size} MB y el máximo es {limit} MB.", _SPLIT),
    # --- the file: the process that reads it
    "lectura-memoria": _file("«{name}» necesita más de {limit} MB de memoria para leerse.", _SPLIT),
    "lectura-tiempo": _file("«{name}» necesita más de {limit} segundos de cálculo para leerse.", _SPLIT),
    "lectura-fallida": _file(
        "No se pudo leer «{name}»: {why}.",
        "No se envió nada. Vuelva a intentarlo; si se repite, guárdelo otra vez como .xlsx o divídalo.",
    ),
    # --- the file: what it is
    "tipo-desconocido": _file("«{name}» no es CSV ni Excel (.xlsx).", _SAVE_XLSX),
    "tipo-otro": _file("«{name}» es {what}, no un CSV ni un libro de Excel (.xlsx).", _SAVE_XLSX),
    "tipo-extension": _file("«{name}» contiene {what}, pero su extensión es «{extension}».", _RIGHT_TYPE),
    "tipo-protegido": _file("«{name}» está protegido con contraseña.", "Quite la contraseña y guárdelo otra vez."),
    "tipo-etiqueta": _file(
        "«{name}» está cifrado por una etiqueta de confidencialidad.",
        "Ábralo en Excel, elija en Inicio > Confidencialidad una etiqueta que no cifre y guárdelo; o pida a quien puso "
        "la etiqueta que se la quite.",
    ),
    "archivo-bloqueo": _file(
        "«{name}» es el archivo temporal que Excel pone mientras el libro está abierto.",
        "No es el libro: use «{book}», después de guardarlo.",
    ),
    "tipo-macros": _file("«{name}» contiene macros.", "Guárdelo como «Libro de Excel (.xlsx)», sin macros."),
    # --- the file: header, rows, columns
    "sin-encabezado": _file(
        "No se encontró el encabezado en las primeras 10 filas: hacen falta las columnas CUFE y Motivo.",
        "Escriba los títulos de las columnas en una fila, encima de los datos.",
    ),
    "falta-columna": _file(
        "Falta la columna {missing}. Encabezados encontrados: {found}.",
        "Agregue esa columna, corrija su título, o diga cuál es con --columns y su letra (por ejemplo --columns "
        "cufe=A,motivo=B).",
    ),
    "encabezado-abajo": _file(
        "El encabezado está en la fila {line} y debe estar entre las primeras {within}.",
        "Borre filas de las de arriba hasta que los títulos queden entre las primeras {within}.",
    ),
    "encabezado-doble": _file(
        "Los títulos ocupan dos filas: {which}.",
        "Deje los títulos en una sola fila, la de encima de los datos, sin combinar celdas.",
    ),
    "todo-en-una-columna": _file(
        "Todo está en la columna {column}, separado por {delimiter}: Excel no repartió los datos en columnas.",
        "Seleccione esa columna y use Datos > Texto en columnas > Delimitados, con ese separador.",
    ),
    "fila-lejana": _file(
        "Hay {what} después de más de 20 filas vacías: {which}.",
        "Borre lo que sobre, o quite las filas vacías; si también se deben anular, use --far-rows {count}.",
    ),
    "vista-filtra": _file(
        "El libro tiene una vista que filtra filas ({names}): quien la usa no las ve todas.",
        "Elimine esa vista (Vista > Vista de hoja > Opciones); si todas se deben anular, use --ignore-views.",
    ),
    "dos-encabezados": _file(
        "Hay dos encabezados, en las filas {lines}.",
        "Deje en la hoja una sola tabla, con un solo encabezado: lo demás bórrelo, o páselo a otro archivo si también "
        "se debe anular.",
    ),
    "cufe-fuera": _file(
        "Hay códigos CUFE fuera de la tabla: {places}.",
        "Si se deben anular, póngalos en la columna CUFE, cada uno en su fila y con su motivo; si no, bórrelos de esta "
        "hoja.",
    ),
    "linea-dice-no": _file(
        "Entre las facturas hay un renglón que no es una factura y que dice «{words}».",
        "Deje en el archivo solo las facturas que se deben anular y borre ese renglón.",
    ),
    "columnas-repetidas": _file(
        "Hay más de una columna para {label}: {found}.",
        "Deje una sola, o diga cuál es con --columns (por ejemplo --columns cufe=A,motivo=B).",
    ),
    "columnas-dichas": _file(
        "No se entiende --columns «{said}».",
        "Escriba cada columna con su letra o su título: --columns cufe=H,motivo=I,correo=J.",
    ),
    "columna-no-esta": _file(
        "La tabla no tiene la columna «{column}» que se indicó.",
        "Revise en --columns la letra (se cuentan desde A) o el título.",
    ),
    "columna-ambigua": _file(
        "Con «{said}» se puede indicar más de una columna: {found}.",
        "Escriba en --columns la letra de la columna o, si esa letra es el título de otra, el título completo.",
    ),
    "encabezado-ajeno": _file(
        "Los CUFE están en la columna {column}, y los títulos de la fila {line} no dicen cuál es el motivo: {found}.",
        "Escriba los títulos «CUFE» y «Motivo» en sus columnas, o diga cuáles son con --columns (por ejemplo "
        "--columns cufe={column},motivo=B, con la letra de la del motivo).",
    ),
    "motivo-o-nombre": _file(
        "La columna «{heading}» ({column}) parece traer nombres («{example}») y no motivos de anulación.",
        "Agregue una columna «Motivo» con el motivo de cada anulación; si esos textos son de verdad el motivo, cambie "
        "ese título por «Motivo» o use --columns {option}.",
    ),
    "cufe-otra-hoja": _file(
        "La tabla está en la hoja «{sheet}» ({count} CUFE) y hay códigos CUFE en otras hojas: {found}.",
        "Si se anula solo esa hoja, dígalo con --sheet «{sheet}» (donde no hay terminal, con el ajuste ANULAR_SHEET) o "
        "borre las otras; si también se deben anular, póngalos en la tabla.",
    ),
    "sin-filas": _file("No hay filas de datos debajo del encabezado.", "Revise que el archivo sea el correcto."),
    "sin-facturas": _file(
        "Debajo del encabezado no hay ninguna factura: ninguna fila tiene CUFE ni motivo.",
        "Revise que el archivo sea el correcto y que los códigos estén en la columna CUFE.",
    ),
    "demasiadas-filas": _file("El archivo tiene más de {limit} filas de datos.", _SPLIT),
    "demasiadas-columnas": _file("El archivo tiene más de {limit} columnas.", "Quite las columnas que no hacen falta."),
    # --- the file: CSV
    "csv-codificacion": _file(
        "El archivo parece guardado como {program}, y sus letras con acento no se leen bien: {words}.", _SAVE_BOOK
    ),
    "csv-mezcla": _file("El archivo mezcla dos codificaciones de texto: unas líneas son UTF-8 y esta no.", _SAVE_UTF8),
    "csv-utf16": _file("El texto está en UTF-16 sin la marca que lo dice, y no se lee con seguridad.", _SAVE_UTF8),
    "csv-utf16-danado": _file("El texto está en UTF-16 y se corta o se daña a la mitad.", _SAVE_UTF8),
    "csv-nul": _file(
        "El texto contiene caracteres nulos: está dañado o no es un CSV.", "Expórtelo otra vez desde su sistema."
    ),
    "csv-separador": _file(
        "El encabezado se puede leer con más de un separador.", "Use un solo separador, por ejemplo punto y coma."
    ),
    "csv-comilla-abierta": _file("Hay una comilla que se abre y nunca se cierra.", "Ciérrela o bórrela."),
    "csv-comilla-suelta": _file(
        "Hay una comilla suelta dentro de un campo.",
        'Bórrela, o escriba el campo entero entre comillas y esa comilla doble ("").',
    ),
    "csv-comilla-traga": _file(
        "Un campo entre comillas abarca varias líneas y contiene un CUFE: parece haberse tragado otras filas.",
        "Busque la comilla que sobra al comienzo de ese campo y bórrela.",
    ),
    "csv-campo-enorme": _file("Hay un campo de más de 64 KB.", "Revise las comillas de esa línea y las anteriores."),
    "csv-columnas": _file(
        "Campos en esta línea: {count}; en el encabezado: {wanted}.", "Revise separadores y comillas de esa línea."
    ),
    "csv-incompleto": _file(
        "El archivo termina a mitad de esta línea: parece incompleto.",
        "Expórtelo o cópielo otra vez completo; si la línea sobra, bórrela.",
    ),
    "csv-sin-hojas": _file("Un CSV no tiene hojas.", "Quite la opción --sheet."),
    # --- the file: XLSX
    "xlsx-danado": _file("El libro de Excel está dañado o incompleto.", _SAVE_AGAIN),
    "xlsx-sospechoso": _file("El libro no es seguro de abrir: {why}.", _ASK_AGAIN),
    "xlsx-externo": _file(
        "El libro contiene vínculos a otros libros.",
        "Quítelos (Datos > Editar vínculos > Romper vínculo), o pegue los datos como valores en un libro nuevo.",
    ),
    "xlsx-consulta": _file(
        "El libro trae sus datos de una consulta o conexión (Power Query).",
        "Use Datos > Consultas y conexiones > Eliminar y guárdelo, o pegue los datos como valores en un libro nuevo.",
    ),
    "xlsx-nombres": _file(
        "Lo guardó un programa que no sigue la norma de los libros de Excel: sus partes tienen nombres con «\\».",
        "Ábralo en Excel y guárdelo.",
    ),
    "xlsx-desempacado": _file("El libro descomprimido pesa más de {limit} MB.", _SPLIT),
    "xlsx-lejos": _file(
        "Hay datos en la celda {address}, fuera del límite de {rows} filas y {columns} columnas.",
        "Borre esa celda; si son datos de verdad, divida el archivo en varios.",
    ),
    "xlsx-desorden": _file("Las celdas de la hoja «{sheet}» están repetidas o fuera de orden.", _SAVE_AGAIN),
    "xlsx-ocultas": _file(
        "Hay {what} con datos: {which}.",
        "Muéstrelas (alto, ancho, color y tamaño de letra, formato de celda) o bórrelas; para anularlas también, use "
        "--include-hidden y confirme la cantidad.",
    ),
    "ocultas-sin-confirmar": _file(
        "Con --include-hidden también se anularía lo oculto, y nadie confirmó cuánto es: {found}.",
        "Si es correcto, agregue --hidden-count {count}.",
    ),
    "ocultas-distintas": _file(
        "Se confirmaron {given} filas, columnas o celdas ocultas y hay {count}: {found}.",
        "Revise el archivo; si es correcto, use --hidden-count {count}, o quite esa opción si no hay nada oculto.",
    ),
    "lote-de-otra-credencial": _file(
        "Este archivo ya es el lote {batch}, que se recibió con otra credencial de eDoc.",
        "Continúelo con el perfil que lo recibió (--profile).",
    ),
    "columnas-otras": _file(
        "Este archivo ya es el lote {batch}, que se recibió con las columnas {before}; ahora se leyó con {now}. No se "
        "envió nada.",
        "Para continuar ese lote, agregue --columns {before}. Si las correctas son las de ahora, retire antes lo que "
        "falte por enviar de ese lote (comando withdraw) y guarde el archivo de nuevo: lo ya enviado no se repite.",
    ),
    "xlsx-combinadas": _file(
        "Hay celdas combinadas de varias filas entre los datos: {which}.", "Sepárelas y repita el valor en cada fila."
    ),
    "lote-de-otra-empresa": _file(
        "Este archivo ya es el lote {batch} de la empresa {whose}. No se envió nada.",
        "Si se debe enviar lo que falta, continúelo con esa empresa: {order}",
    ),
    "solo-devueltas": _file(
        "El libro trae solo facturas devueltas (hoja «Devueltas»), que se reenvían una por una, con el nombre de quien "
        "lo decide; la carpeta no puede preguntarlo. No se reenvió nada.",
        "Cárguelo en una terminal con el comando run, que pregunta por cada una.",
    ),
    "otro-registro": _file(
        "Este archivo ya está en otro historial de envíos de este equipo. No se envió nada.",
        "Pregunte a quien administra el programa; si se debe anular, se continúa desde allí.",
    ),
    "carpeta-sin-empresa": _file(
        "Esta carpeta es de varias empresas, y el archivo no está en la de ninguna. No se envió nada.",
        "Déjelo en la carpeta de la suya: {folders}.",
    ),
    "xlsx-hoja": _file("No existe la hoja «{sheet}». Hojas del libro: {found}.", "Revise la opción --sheet."),
    "xlsx-varias-hojas": _file(
        "Varias hojas tienen {what}: {found}.",
        "Indique una con --sheet (o, donde no hay terminal, con el ajuste ANULAR_SHEET).",
    ),
    "xlsx-hoja-oculta": _file(
        "La hoja «{sheet}» está oculta.", "Muéstrela, o pídala con --sheet «{sheet}» --include-hidden."
    ),
    "xlsx-sin-hojas": _file("El libro no tiene ninguna hoja de datos visible.", _SAVE_AGAIN),
}


def problem(code: str, /, *, cell: str, column: str, value: str, **words: object) -> Problem:
    """A row's problem: message and remedy of ``code`` with ``words`` filled in, ``value`` shortened.

    Raises ``KeyError`` for a code that is not in the table: that is a bug.
    """
    kind = KINDS[code]
    message = f"{kind.message} {kind.remedy}".strip().format(**words)
    return Problem(code, cell, column, shorten(value), message)


def cufe_problem(found: CufeInvalid, *, cell: str, column: str, value: str) -> Problem:
    """The problem for a code that ``cufe.py`` refused, with its message."""
    if found.code not in KINDS:
        raise KeyError(found.code)
    return Problem(found.code, cell, column, shorten(value), f"{found.message} {found.remedy}".strip())


def refused(code: str, /, *, where: str = "", **words: object) -> InputRefused:
    """The error that refuses a whole file, for the caller to raise. Raises ``KeyError`` for an unknown code."""
    kind = KINDS[code]
    return InputRefused(kind.message.format(**words), code=code, where=where, remedy=kind.remedy.format(**words))


def shorten(value: str, limit: int = VALUE_SHOWN) -> str:
    """``value`` in at most ``limit`` characters, cut with an ellipsis."""
    return value if len(value) <= limit else value[: limit - 1] + "…"
