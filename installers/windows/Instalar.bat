@echo off
rem Instala anular para este usuario, sin administrador. Se puede repetir.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "PYTHONUTF8=1"
set "UV_NO_CONFIG=1"
title Instalar anular
set "AQUI=%~dp0"
set "RAIZ=%LOCALAPPDATA%\Programs\anular"
set "RC=1"

if not exist "%AQUI%version.txt" goto sin_extraer
if not exist "%AQUI%ruedas" goto sin_extraer
set "RESTO=%AQUI:\AppData\Local\Temp\=%"
if not "%RESTO%"=="%AQUI%" goto sin_extraer
set "RESTO=%AQUI:OneDrive=%"
if not "%RESTO%"=="%AQUI%" goto sincronizada
set "RESTO=%AQUI:Dropbox=%"
if not "%RESTO%"=="%AQUI%" goto sincronizada
if not defined LOCALAPPDATA goto sin_carpeta

set /p VERSION=<"%AQUI%version.txt"
set /p PYTHON=<"%AQUI%python.txt"
set "ANTES="
if exist "%RAIZ%\actual.txt" set /p ANTES=<"%RAIZ%\actual.txt"
set "NUEVA=%RAIZ%\v\%VERSION%"
if not exist "%RAIZ%\v\" mkdir "%RAIZ%\v"
if not exist "%RAIZ%\v\" goto sin_carpeta

set "UV_PYTHON_INSTALL_DIR=%RAIZ%\python"
if exist "%AQUI%python\" set "UV_PYTHON_INSTALL_MIRROR=file:///%AQUI:\=/%python"

rem Antes de actualizar, la version de antes guarda una copia de cada historial: nada puede estar enviando.
if not defined ANTES goto preparar
if /i "%ANTES%"=="%VERSION%" goto preparar
if not exist "%RAIZ%\v\%ANTES%\Scripts\anular.exe" goto preparar
set "COPIAS=%LOCALAPPDATA%\anular-copias"
if not exist "%COPIAS%\" mkdir "%COPIAS%"
echo Guardando una copia del historial de envios en %COPIAS% ...
"%RAIZ%\v\%ANTES%\Scripts\anular.exe" backup "%COPIAS%" --all --idle
if errorlevel 1 goto sin_copia

:preparar
if exist "%NUEVA%\listo.txt" goto instalada
if exist "%NUEVA%" rmdir /s /q "%NUEVA%"
if exist "%NUEVA%" goto en_uso
echo Preparando Python %PYTHON% (la primera vez se descarga) ...
"%AQUI%uv.exe" python install %PYTHON% --managed-python --no-bin --no-registry
if errorlevel 1 goto sin_python
"%AQUI%uv.exe" venv --quiet --managed-python --python %PYTHON% "%NUEVA%"
if errorlevel 1 goto sin_python

echo Instalando anular %VERSION% ...
"%AQUI%uv.exe" pip install --quiet --no-cache --python "%NUEVA%\Scripts\python.exe" --offline --no-index --no-deps --find-links "%AQUI%ruedas" --require-hashes -r "%AQUI%requirements.txt"
if errorlevel 1 goto sin_paquetes
"%NUEVA%\Scripts\anular.exe" --version
if errorlevel 1 goto sin_paquetes
copy /y "%AQUI%ejemplo.xlsx" "%NUEVA%\ejemplo.xlsx" >nul
if errorlevel 1 goto sin_carpeta
>"%NUEVA%\listo.txt" echo %VERSION%

:instalada
copy /y "%AQUI%Anular.bat" "%RAIZ%\Anular.bat" >nul
if errorlevel 1 goto sin_carpeta
copy /y "%AQUI%Volver.bat" "%RAIZ%\Volver.bat" >nul
if errorlevel 1 goto sin_carpeta
copy /y "%AQUI%tarea.bat" "%RAIZ%\tarea.bat" >nul
if errorlevel 1 goto sin_carpeta
if not defined ANTES goto apuntar
if /i "%ANTES%"=="%VERSION%" goto apuntar
>"%RAIZ%\anterior.txt" echo %ANTES%

:apuntar
>"%RAIZ%\actual.txt" echo %VERSION%
set "ESCRITORIO="
for /f "tokens=2,*" %%A in ('reg query "HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders" /v Desktop 2^>nul') do set "ESCRITORIO=%%B"
if defined ESCRITORIO call set "ESCRITORIO=%ESCRITORIO%"
if not defined ESCRITORIO set "ESCRITORIO=%USERPROFILE%\Desktop"
if exist "%ESCRITORIO%\" copy /y "%AQUI%Anular.bat" "%ESCRITORIO%\Anular.bat" >nul

echo.
echo Listo: anular %VERSION%. Abra Anular en el escritorio, o arrastre un archivo de Excel sobre el.
if defined ANTES echo Si la pagina de Anular esta abierta, cierrela y abrala otra vez: hasta entonces es la version de antes.
if defined ANTES echo Para volver a la version %ANTES%: %RAIZ%\Volver.bat
set "RC=0"
if defined ANTES goto fin
if defined SIN_PREGUNTAS goto fin
if exist "%ESCRITORIO%\Anular.bat" start "Anular" cmd /c call "%ESCRITORIO%\Anular.bat"
goto fin

:sin_extraer
echo Primero extraiga el ZIP completo: boton derecho, Extraer todo. Luego abra Instalar en la carpeta nueva.
goto fin
:sincronizada
echo Esta carpeta se sincroniza (OneDrive o Dropbox). Copie la carpeta a Descargas y abra Instalar desde alli.
goto fin
:sin_carpeta
echo No se pudo crear la carpeta de anular en %RAIZ%.
goto fin
:sin_copia
echo No se actualizo: el motivo esta arriba. Cierre lo que use anular, y abra Instalar otra vez. Sigue la version %ANTES%.
goto fin
:en_uso
echo La version %VERSION% esta en uso. Cierre las ventanas de anular y abra Instalar otra vez.
goto fin
:sin_python
echo No se pudo preparar Python. La primera vez hace falta internet. No se cambio nada de lo instalado.
goto fin
:sin_paquetes
echo No se pudo instalar: un archivo falta o no es el que debe ser. No se cambio nada de lo instalado.
goto fin
:fin
if not defined SIN_PREGUNTAS pause
exit /b %RC%
