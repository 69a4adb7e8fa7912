@echo off
rem Doble clic: la pagina, en el navegador. Archivos arrastrados: se revisan, y se abre el libro de la revision.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "PYTHONUTF8=1"
title Anular
set "RAIZ=%LOCALAPPDATA%\Programs\anular"
set "VERSION="
if exist "%RAIZ%\actual.txt" set /p VERSION=<"%RAIZ%\actual.txt"
set "PROGRAMA=%RAIZ%\v\%VERSION%\Scripts\anular.exe"
set "RC=0"
if not exist "%PROGRAMA%" goto sin_programa
if "%~1"=="" goto pagina

:siguiente
echo Archivo: "%~f1"
"%PROGRAMA%" check "%~f1" --open
if errorlevel 1 set "RC=%ERRORLEVEL%"
shift
if not "%~1"=="" goto siguiente
echo.
echo No se envio nada. Para enviar: doble clic en Anular, y cargue el archivo en la pagina.
goto fin

:pagina
echo Esta ventana mantiene abierta la pagina de Anular: minimicela. Al cerrarla, la pagina se cierra.
cd /d "%USERPROFILE%"
"%PROGRAMA%" web --open
set "RC=%ERRORLEVEL%"
if "%RC%"=="0" exit /b 0
if "%RC%"=="130" exit /b 0
goto fin

:sin_programa
echo No se encuentra anular. Abra Instalar otra vez.
set "RC=9"
:fin
if not defined SIN_PREGUNTAS pause
exit /b %RC%
