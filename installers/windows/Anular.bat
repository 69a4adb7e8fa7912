@echo off
rem Doble clic: una ventana para trabajar. Archivos arrastrados: se revisan, y se pregunta si se envian.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "PYTHONUTF8=1"
title anular
set "RAIZ=%LOCALAPPDATA%\Programs\anular"
set "VERSION="
if exist "%RAIZ%\actual.txt" set /p VERSION=<"%RAIZ%\actual.txt"
set "PROGRAMA=%RAIZ%\v\%VERSION%\Scripts\anular.exe"
if not exist "%PROGRAMA%" goto sin_programa
set "PATH=%RAIZ%\v\%VERSION%\Scripts;%PATH%"
if "%~1"=="" goto sin_archivo
set "RC=0"

:siguiente
echo Archivo: "%~f1"
"%PROGRAMA%" check "%~f1"
if errorlevel 1 set "RC=%ERRORLEVEL%"
if defined SIN_PREGUNTAS goto otro
echo.
choice /c SN /n /m "Enviar ahora las facturas que estan listas? S o N: "
if errorlevel 2 goto otro
"%PROGRAMA%" run "%~f1"
set "RC=%ERRORLEVEL%"
:otro
shift
if not "%~1"=="" goto siguiente
goto fin

:sin_archivo
"%PROGRAMA%" status
set "RC=%ERRORLEVEL%"
if defined SIN_PREGUNTAS goto fin
echo.
echo Escriba anular y lo que quiere hacer, por ejemplo: anular --help
cd /d "%USERPROFILE%"
cmd /k
exit /b %RC%

:sin_programa
echo No se encuentra anular. Abra Instalar otra vez.
set "RC=9"
:fin
if not defined SIN_PREGUNTAS pause
exit /b %RC%
